# program: steps
# status: 23
break main
continue
# expect: Breakpoint 1, main
watch counter
# expect: Hardware watchpoint 2: counter
rwatch table[2]
# expect: Hardware read watchpoint 3: table\[2\]
continue
# expect: Hardware watchpoint 2: counter
# expect: Old value = 0
# expect: New value = 1
backtrace 1
# expect: leaf
continue
# expect: New value = 3
delete 2
awatch half
# expect: Hardware access \(read/write\) watchpoint 4: half
continue
# expect: Hardware access \(read/write\) watchpoint 4: half
# expect: Value = 0.5
continue
# expect: Old value = 0.5
# expect: New value = 1
delete 4
continue
# expect: Hardware read watchpoint 3: table\[2\]
# expect: Value = 7
delete
continue
# expect: exited with code 027
# output: sum 23 counter 6 half 1
