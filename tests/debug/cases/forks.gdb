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
# What the program executes runs without the debugger, and the breakpoint in the same place does not stop it.
# expect: Remote connection closed
# output: child 8
# output: again 2
