# program: steps
# status: 0
# Code that has run already is changed: leaf returns 0 at once.
break leaf
continue
continue
# expect: leaf \(x=x@entry=1\)
delete
set var *(unsigned*) leaf = 0x52800000
set var *(unsigned*) (leaf + 4) = 0xd65f03c0
set var $pc = leaf
x/2i leaf
# expect: mov\s+w0, #0x0
# expect: ret
tbreak last
continue
# expect: last \(\)
print counter
# expect: = 0$
detach
# expect: detached
# output: sum 11 counter 0 half 1
# status: 11
