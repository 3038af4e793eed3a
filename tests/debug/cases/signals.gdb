# program: signals term
# status: 143
handle SIGUSR2 nostop noprint pass
continue
# expect: Program received signal SIGUSR1
signal 0
# expect: Program received signal SIGUSR1
break handler
continue
# expect: Breakpoint 1, handler \(signal=10\)
backtrace
# expect: #1 +<signal handler called>
finish
delete
# The way out of a handler can be stepped too.
stepi 3
info registers pc
continue
# expect: Program received signal SIGTERM
continue
# expect: Program terminated with signal SIGTERM
# output: usr1 1 usr2 1 child 5 shell 7
