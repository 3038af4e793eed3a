# program: forks
# status: 5
break touched
continue
# The child has gone through without stopping.
# expect: Breakpoint 1, touched \(x=7\)
backtrace
# expect: #1 .* main \(
stepi
continue
# The debugger follows into what the program executes, where the breakpoint is in the same place.
# expect: is executing new program: .*forks
# expect: Breakpoint 1, touched \(x=.*1\)
backtrace
# expect: #1 .* main \(argc=
info threads
# expect: \* 1 +Thread
info auxv
# expect: AT_ENTRY
continue
# expect: exited with code 05
# output: child 8
# output: again 2
