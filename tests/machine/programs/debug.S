// A guest that debugs itself: software step of EL0 and EL1, a breakpoint, watchpoints.
    .include "bare.inc"
    .equ SS, 1 << 21

    // Runs from `target` on at EL0, or at EL1 with debug exceptions; comes back at the next SVC of EL0 or BRK.
    .macro debug target, spsr
    ldr x0, =\target
    msr elr_el1, x0
    ldr x0, =\spsr
    msr spsr_el1, x0
    adr x20, 9001f
    eret
9001:
    .endm

    start
    ldr x0, =debug_vectors
    msr vbar_el1, x0
    msr oslar_el1, xzr
    msr osdlr_el1, xzr
    ldr x19, =data
    mrs x0, sctlr_el1
    orr x0, x0, #(1 << 15)          // EL0 may read CTR_EL0
    msr sctlr_el1, x0
    mov x1, #1
    msr mdscr_el1, x1
    isb
    print "step EL0\n"
    debug stepped, SS | 0x3c0
    print "no insn allowed\n"
    debug stepped, 0x3c0
    print "step EL1\n"
    ldr x1, =(1 << 13 | 1)
    msr mdscr_el1, x1
    isb
    debug stepped_el1, SS | 5
    msr mdscr_el1, xzr

    print "breakpoint\n"
    ldr x0, =broken
    msr dbgbvr0_el1, x0
    ldr x0, =(0xf << 5 | 2 << 1 | 1)
    msr dbgbcr0_el1, x0
    mov x1, #(1 << 15)
    msr mdscr_el1, x1
    isb
    debug broken, 0x3c0
    print "of EL1 only\n"
    ldr x0, =(0xf << 5 | 1 << 1 | 1)
    msr dbgbcr0_el1, x0
    isb
    debug broken, 0x3c0
    msr dbgbcr0_el1, xzr

    print "watch stores\n"
    msr dbgwvr0_el1, x19
    ldr x0, =(0x0c << 5 | 2 << 3 | 2 << 1 | 1)     // bytes 2 and 3
    msr dbgwcr0_el1, x0
    isb
    debug watched, 0x3c0
    print "watch loads\n"
    ldr x0, =(0xff << 5 | 1 << 3 | 2 << 1 | 1)
    msr dbgwcr0_el1, x0
    isb
    debug watched, 0x3c0
    print "watch a range\n"
    add x0, x19, #32
    msr dbgwvr0_el1, x0
    ldr x0, =(5 << 24 | 0xff << 5 | 3 << 3 | 2 << 1 | 1)
    msr dbgwcr0_el1, x0
    isb
    debug watched, 0x3c0
    power_off

stepped:
    mov x5, #1
    ldxr x6, [x19]
    cbz xzr, 1f
    mov x5, #2
1:  mrs x7, ctr_el0
    svc #7
    brk #0
stepped_el1:
    mov x5, #3
    mrs x6, sctlr_el1
    msr tpidr_el1, x6
    brk #1
broken:
    mov x5, #4
    brk #2
watched:
    strb w5, [x19, #1]
    strh w5, [x19, #2]
    str w5, [x19, #4]
    ldr x6, [x19]
    str x6, [x19, #48]
    brk #3

    library
    no_irq_handler

    // ESR, ELR, SPSR; FAR of watchpoints. A step goes on with the next one, a breakpoint and a watchpoint are switched
    // off, BRK ends it.
    .balign 2048
debug_vectors:
    .rept 16
    .balign 128
    b debugged
    .endr
    .balign 128
debugged:
    mrs x21, esr_el1
    lsr x22, x21, #26
    show esr, x21
    mrs x0, elr_el1
    adr x1, _start
    sub x0, x0, x1
    show elr, x0
    mrs x0, spsr_el1
    bic x0, x0, #(3 << 10)          // what only some CPUs have
    show spsr, x0
    cmp x22, #0x34
    b.ne 1f
    mrs x0, far_el1
    sub x0, x0, x19
    show far, x0
    msr dbgwcr0_el1, xzr
1:  print "\n"
    cmp x22, #0x3c
    b.eq 4f
    and x0, x22, #~1
    cmp x0, #0x32
    b.ne 2f
    mrs x0, spsr_el1
    orr x0, x0, #SS
    msr spsr_el1, x0
    b 3f
2:  cmp x22, #0x30
    b.ne 3f
    msr dbgbcr0_el1, xzr
3:  isb
    eret
4:  mov x0, #0x3c5
    msr spsr_el1, x0
    msr elr_el1, x20
    isb
    eret

    .balign 64
data: .skip 64
