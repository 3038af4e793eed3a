# program: signals fault
# status: 139
handle SIGUSR1 nostop noprint pass
handle SIGUSR2 nostop noprint nopass
continue
# expect: Program received signal SIGSEGV
backtrace
# expect: #0 .* main \(
stepi
# expect: Program (received|terminated with) signal SIGSEGV
# output: usr1 2 usr2 0 child 5 shell 7
kill
# status: 139
