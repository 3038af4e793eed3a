// Code in frames where there is no memory: in a hole, and at the highest physical addresses, whose low bits are those of a
// frame that has code.
    .include "bare.inc"
    .equ L1, 0x40300000
    .equ L2, 0x40301000
    .equ L3, 0x40302000
    .equ FRAME, 0x40500000
    .equ PAGE, 0xf03                // inner shareable, not global
    .equ USER, 0xf43

    // Calls \page of the table at L3.
    .macro try page
    adr x20, 9020f
    ldr x5, =(0x80000000 + 0x1000 * \page)
    mov x6, #0
    blr x5
9020: show got, x6
    print "\n"
    .endm

    // The same at EL0.
    .macro try_user page
    adr x20, 9021f
    ldr x5, =(0x80000000 + 0x1000 * \page)
    mov x6, #0
    msr elr_el1, x5
    msr spsr_el1, xzr
    eret
9021: show got, x6
    print "\n"
    .endm

    start
    clear L1, 0x3000
    entry L1, 0, 0x405
    entry L1, 1, (0x40000000 + 0x701)
    entry L1, 2, (L2 + 3)
    entry L2, 0, (L3 + 3)
    entry L3, 0, (FRAME + PAGE)
    entry L3, 1, (FRAME + USER)
    entry L3, 2, (0x200000000 + PAGE)
    entry L3, 3, (0x200000000 + USER)
    entry L3, 4, ((1 << 42) + FRAME + PAGE)
    entry L3, 5, ((1 << 42) + FRAME + USER)
    entry L3, 6, ((1 << 43) + FRAME + PAGE)
    entry L3, 7, ((1 << 43) + FRAME + USER)
    adr x0, code
    ldr x1, =FRAME
    ldr x2, [x0]
    str x2, [x1]
    ldr x2, [x0, #8]
    str x2, [x1, #8]
    ic iallu
    dsb sy
    mov x0, #0xff
    msr mair_el1, x0
    ldr x0, =0x400803519            // as mmu_on has it, but 44 bits
    msr tcr_el1, x0
    ldr x0, =L1
    msr ttbr0_el1, x0
    translation_on

    mov x21, #2
1:  try 0
    try_user 1
    try 2
    try_user 3
    try 4
    try_user 5
    try 6
    try_user 7
    subs x21, x21, #1
    b.ne 1b
    print "end\n"
    power_off
    no_irq_handler
    library

    .balign 16
code:
    adr x6, code
    svc #1
