// LDP and STP, whose halves may lie in two pages, in a device, or be refused.
    .include "bare.inc"
    .equ L1, 0x40300000
    .equ L2, 0x40301000
    .equ L3, 0x40302000
    .equ PAGE, 0x703

    start
    mov x20, #0
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    clear L1, 0x3000
    entry L1, 0, 0x405
    entry L1, 1, (L2 + 3)
    entry L2, 0, 0x40000701
    entry L2, 1, 0x40200701
    entry L2, 2, (L3 + 3)
    entry L3, 0, (0x40502000 + PAGE)
    entry L3, 1, (0x40500000 + PAGE)                  // not what follows physically
    entry L3, 2, (0x40501000 + PAGE + 0x80)           // read-only
    mmu_on L1

    ldr x5, =0x40400000
    mov x8, #3                      // looked up, then found
2:  ldr x6, =0x1111111122222222
    add x6, x6, x8
    ldr x7, =0x3333333344444444
    stp x6, x7, [x5, #16]
    ldp x10, x11, [x5, #16]
    show low, x10
    show high, x11
    add x9, x5, #0xff8
    stp x7, x6, [x9]                // two pages
    ldp x10, x11, [x9]
    show low, x10
    show high, x11
    ldr x10, [x5, #0x1000]
    show high, x10
    add x9, x5, #0xff4
    fmov d0, x6
    fmov d1, x7
    mov v0.d[1], x7
    mov v1.d[1], x6
    stp q0, q1, [x9]
    ldp q2, q3, [x9]
    fmov x10, d2
    mov x11, v2.d[1]
    show q2, x10
    show q2, x11
    fmov x10, d3
    mov x11, v3.d[1]
    show q3, x10
    show q3, x11
    ldp w10, w11, [x9, #8]
    show w, x10
    show w, x11
    ldpsw x10, x11, [x9, #24]
    show sw, x10
    show sw, x11
    print "\n"
    subs x8, x8, #1
    b.ne 2b

    ldr x9, =0x09000fe0             // the UART's identification
    ldp w10, w11, [x9]
    show id, x10
    show id, x11
    print "\n"
    add x9, x5, #0x1000
    stp x6, x7, [x9, #8]
    ldr x9, =0x40401ff8
    stp x6, x7, [x9]                // the second half is refused
    ldp x10, x11, [x9]
    ldr x9, =0x40402ff8
    ldp x10, x11, [x9]              // nothing is behind
    mov x10, x9
    ldp x10, x11, [x10]             // the base is a destination
    show base, x10
    ldr x9, =0x40400ff8
    ldp x6, x7, [x9], #16
    show after, x9
    ldp x6, x7, [x9, #-16]!
    show before, x9
    print "end\n"
    power_off
    no_irq_handler
    library
