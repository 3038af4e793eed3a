# program: threads
# status: 0
break started
continue
# expect: hit Breakpoint 1, started
info threads
# expect: \* 1 +Thread
# expect:   2 +Thread
# expect:   3 +Thread
# expect:   4 +Thread
thread 4
# expect: Switching to thread 4
backtrace
# expect: spinner
set $before = spins
# The others stand still meanwhile: main would go on.
set scheduler-locking on
stepi 100
print spins > $before
# expect: = 1$
set scheduler-locking off
thread 1
break job
continue
# expect: hit Breakpoint 2, job \(n=
print $_thread != 1
# expect: = 1$
set scheduler-locking on
set $one = work[n]
finish
set scheduler-locking off
continue
# expect: hit Breakpoint 2, job \(n=
continue
# expect: hit Breakpoint 2, job \(n=
break finished
continue
# expect: Thread 1 .*hit Breakpoint 3, finished
print work
# expect: = \{1, 2, 3\}
info threads
# expect: \* 1 +Thread
continue
# expect: exited normally
# output: work 1 2 3
