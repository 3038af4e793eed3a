# program: steps
# status: 23
break leaf
# expect: Breakpoint 1 at
continue
# expect: Breakpoint 1, leaf \(x=x@entry=0\)
backtrace
# expect: #1 .* middle \(x=
# expect: #2 .* main \(
finish
# expect: Value returned is \$1 = 0
stepi
x/i $pc
continue
# expect: Breakpoint 1, leaf \(x=x@entry=1\)
# An insn at a time is the same as the code between two breakpoints.
set $at = $pc
stepi 2
print $pc - $at
# expect: = 8$
delete 1
tbreak middle
continue
# expect: Temporary breakpoint 2, middle \(x=x@entry=2\)
step
step
# expect: leaf \(x=x@entry=2\)
next
finish
print counter
# expect: = 3$
break twice
continue
# expect: Breakpoint 3, twice
print $d0
# expect: f = 0.5
print $v0.d.f[0]
# expect: = 0.5
set var $v0.d.f[0] = 4
finish
# expect: Value returned is .* = 8
set var counter = 100
print middle(3)
# expect: = 7$
print counter
# expect: = 103$
print $cpsr & 0xfffffff
# expect: = 0$
info registers fpsr fpcr
# expect: fpsr +0x0
continue
# expect: exited with code 027
# output: sum 23 counter 103 half 8
