# machine: two_cpus
# status: 0
# expect: 0x0*40000000
info threads
# expect: \* 1 +Thread 1 "CPU 0"
# expect:   2 +Thread 2 "CPU 1, off"
print $cpsr & 0xf
# expect: = 5$
print $sctlr_el1 & 1
# expect: = 0$
# Breakpoints and memory are where the CPU sees them; before the MMU is on nothing is there.
python
try:
    gdb.execute("x/x tick")
except gdb.MemoryError as error:
    print("refused:", error)
end
# expect: refused: Cannot access memory
hbreak high
continue
# expect: Breakpoint 1, .*high
print $sctlr_el1 & 1
# expect: = 1$
x/i $pc
# expect: adr
stepi
print (long) $pc - (long) &high
# expect: = 4$
break tick
continue
# expect: Breakpoint 2, .*tick
info threads
# expect: \* 1 +Thread 1 "CPU 0"
# expect:   2 +Thread 2 "CPU 1" +0x.* in spin
print *(long*) &spins > 0
# expect: = 1$
stepi
print *(long*) &counter
# expect: = 0$
continue
# expect: Breakpoint 2, .*tick
print *(long*) &counter
# expect: = 1$
thread 2
# expect: spin
set $seen = *(long*) &spins
set scheduler-locking on
# A turn has five insns.
stepi 50
print *(long*) &spins - $seen
# expect: = 10$
info registers pc
# expect: spin
set scheduler-locking off
thread 1
delete
watch *(long*) &counter
continue
# expect: Old value = 1
# expect: New value = 2
delete
# Registers and code can be changed: tick adds 100, and once more for this round.
set var *(unsigned*) ((long) &tick + 8) = 0x91019000
set var $x19 = 2
break finished
continue
# expect: Breakpoint 4, .*finished
print *(long*) &counter
# expect: = 102$
continue
# expect: exited normally
# output: ticked
