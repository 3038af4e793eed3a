# program: thread_execs
# status: 6
catch exec
break run
watch failed
continue
# expect: hit Breakpoint 2, run
continue
# expect: Old value = 0
# expect: New value = 1
handle SIGUSR1 nostop noprint pass
continue
# expect: Catchpoint 1 \(exec'd .*thread_execs\), .*_start
info threads
# expect: \* .*Thread
print failed
# expect: = 0
delete
break again
continue
# expect: Breakpoint 4, again \(argc=2\)
detach
# expect: detached
# output: again 2
