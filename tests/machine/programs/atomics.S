// Exclusives and atomics on RAM that is Device memory: without address translation, and mapped so.
    .include "bare.inc"
    .equ L1, 0x40300000
    .equ L2, 0x40301000
    .equ DATA, 0x40400000
    .equ BLOCK, 0x701               // AF, inner shareable

    start
    mov x20, #0
    bl everything
    clear L1, 0x2000
    entry L1, 0, 0x405
    entry L1, 1, (L2 + 3)
    entry L2, 0, (0x40000000 + BLOCK)
    entry L2, 1, (0x40200000 + BLOCK)
    entry L2, 2, (0x40400000 + BLOCK + 4)
    mmu_on L1
    bl everything
    ldr x0, =L2
    ldr x1, =(DATA + BLOCK + 4 + 0x80)
    str x1, [x0, #16]
    dsb ishst
    tlbi vmalle1
    dsb nsh
    isb
    ldr x5, =DATA
    ldadd x6, x0, [x5]              // may be read only
    print "end\n"
    power_off

// Each four times: what runs again does so in translated code that knows the page, if anything can.
everything:
    mov x21, x30
    ldr x5, =DATA
    ldr x6, =0x1122334455667788
    ldr x7, =0x99aabbccddeeff00
    stp x6, x7, [x5]
    mov x13, #4
1:  ldxr x8, [x5]
    add x8, x8, #1
    stlxr w9, x8, [x5]
    show failed, x9
    ldaxrb w8, [x5, #0]
    add w8, w8, #0x80
    stxrb w9, w8, [x5]
    show failed, x9
    add x10, x5, #2
    ldxrh w8, [x10]
    eor w8, w8, #0xff
    stxrh w9, w8, [x10]
    show failed, x9
    ldxp x8, x11, [x5]
    ror x8, x8, #8
    ror x11, x11, #4
    stxp w9, x11, x8, [x5]
    show failed, x9
    ldxp w8, w11, [x5]
    stxp w9, w11, w8, [x5]
    show failed, x9
    ldadd x6, x8, [x5]
    show old, x8
    swpalb w7, w8, [x5]
    show old, x8
    ldseth w6, w8, [x10]
    show old, x8
    ldsmax w7, w8, [x5]
    show old, x8
    mov x8, x7
    cas x8, x6, [x5]                // another value is there
    show old, x8
    casal x8, x6, [x5]
    show old, x8
    ldp x14, x15, [x5]
    mov x16, x13
    mov x17, x6
    casp x14, x15, x16, x17, [x5]
    show old, x15
    ldp x14, x15, [x5]
    show low, x14
    show high, x15
    print "\n"
    subs x13, x13, #1
    b.ne 1b

    add x10, x5, #4                 // misaligned
    ldxr x8, [x10]
    ldadd x6, x8, [x10]
    cas x8, x6, [x10]
    ldxp x8, x11, [x10]
    mov x16, #0
    mov x17, #0
    add x10, x5, #8
    casp x14, x15, x16, x17, [x10]
    ldr x10, =0x40400ffc            // two pages
    swp x6, x8, [x10]
    mov x30, x21
    ret
    no_irq_handler
    library
