// Several accesses of a block from one base: in one page, across the ends of pages, where the other page is read-only, is
// not there, or is a device; next to what changes the mapping in between; and to the page that the code lies in.
    .include "bare.inc"
    .equ L1, 0x40300000
    .equ L2, 0x40301000
    .equ L3, 0x40302000
    .equ PAGE, 0x703
    .equ WINDOW, 0x40400000

    // The frame at x5 of `times` executions.
    .macro frame name, times
    mov x8, #\times
9010: bl accesses
    subs x8, x8, #1
    b.ne 9010b
    show \name, x7
    .endm

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
    entry L3, 4, (0x09000000 + PAGE + 4)              // the UART
    entry L3, 5, (0x40503000 + PAGE)
    entry L3, 6, (0x40504000 + PAGE)
    entry L3, 7, (0x40505000 + PAGE)
    entry L3, 8, (0x40506000 + PAGE + 0x40)           // EL0 as well
    mmu_on L1

    ldr x6, =0x0123456789abcdef
    mov x7, #1
    ldr x5, =(WINDOW + 0x800)
    frame within, 3
    mov x9, #-72
2:  ldr x5, =(WINDOW + 0x1000)
    add x5, x5, x9
    frame across, 3
    add x9, x9, #8
    cmp x9, #32
    b.ne 2b
    print "\n"
    ldr x5, =(WINDOW + 0x2000 - 24)
    frame readonly, 2
    ldr x5, =(WINDOW + 0x3000 - 32)
    frame absent, 2
    ldr x5, =(WINDOW + 0x3000 + 40)
    frame absent, 1

    // A device, and what follows it.
    mov x8, #3
3:  ldr x5, =(WINDOW + 0x4fe0)
    ldr w10, [x5]
    ldr w11, [x5, #4]
    str w8, [x5, #0x24]
    ldr w12, [x5, #12]
    ldr w13, [x5, #0x24]
    show device, x10
    show device, x11
    show device, x12
    show behind, x13
    subs x8, x8, #1
    b.ne 3b
    print "\n"

    // The mapping changes in between.
    ldr x5, =(WINDOW + 0x7000)
    ldr x6, =L3
    ldr x9, =(0x40504000 + PAGE)
    mov x8, #4
4:  str x8, [x5, #0x80]
    ldr x10, [x5, #0x88]
    str x9, [x6, #(8 * 7)]
    dsb ishst
    lsr x0, x5, #12
    tlbi vae1, x0
    dsb nsh
    isb
    add x11, x10, x8
    str x11, [x5, #0x88]
    ldr x12, [x5, #0x80]
    show before, x10
    show after, x12
    eor x9, x9, #0x1000
    subs x8, x8, #1
    b.ne 4b
    print "\n"

    // What may be accessed changes in between.
    ldr x5, =(WINDOW + 0x8000)
    mov x8, #2
5:  str x8, [x5, #16]
    ldtr x10, [x5, #16]
    msr pan, #1
    ldr x11, [x5, #16]
    ldtr x12, [x5, #16]
    msr pan, #0
    ldr x13, [x5, #16]
    show pan, x10
    show pan, x12
    show pan, x13
    subs x8, x8, #1
    b.ne 5b
    ldr x5, =WINDOW
    ldr x10, [x5, #16]
    ldtr x11, [x5, #16]             // EL0 may not
    str x10, [x5, #24]
    sttr x10, [x5, #24]
    ldr x12, [x5, #24]
    sub x12, x12, x10
    show el1, x12

    // Far away and back, and one address by several ways.
    ldr x5, =(WINDOW + 0x800)
    mov x8, #2
6:  mov x9, #0x100000000
    mov x11, #0xffffffff00000000
    add x10, x5, x9
    str x8, [x5, #0x48]
    add x11, x11, #0x48
    ldr x12, [x10, x11]
    sub x13, x11, #8
    str x12, [x10, x13]
    ldr x14, [x5, #0x40]
    add x15, x5, x8, lsl #3
    str x14, [x5, x8, lsl #3]
    ldr x16, [x15]
    strb w5, [x15, #1]
    ldr x17, [x5, x8, lsl #3]
    show far, x12
    show far, x14
    show sum, x16
    show sum, x17
    subs x8, x8, #1
    b.ne 6b
    print "\n"

    // The code's own page.
    ldr x5, =(WINDOW + 0x6000)
    adr x0, writer
    adr x1, writer_end
    mov x2, x5
6:  ldr w3, [x0], #4
    str w3, [x2], #4
    cmp x0, x1
    b.ne 6b
    ic iallu
    dsb nsh
    isb
    mov x8, #5
    mov x7, #0
7:  ldr w6, =0x91000000             // add x0, x0, #...
    orr w6, w6, w8, lsl #10
    mov x0, #0
    blr x5
    add x7, x0, x7, lsl #8
    subs x8, x8, #1
    b.ne 7b
    show own, x7
    print "end\n"
    power_off

accesses:
    ldr x10, [x5]
    str x6, [x5, #8]
    ldr w11, [x5, #12]
    add x6, x6, x10
    stp x6, x7, [x5, #16]
    ldp x12, x13, [x5, #24]
    ldrb w14, [x5, #1]
    strh w6, [x5, #35]
    ldr q0, [x5, #-16]
    str q0, [x5, #48]
    ldr x15, [x5], #40
    stlr x15, [x5]
    ldr x16, [x5, #-48]!
    ldpsw x17, x18, [x5, #4]
    ldr x19, [x5, #8]!
    str xzr, [x5, #40]
    eor x7, x10, x7, ror #3
    eor x7, x11, x7, ror #3
    eor x7, x12, x7, ror #3
    eor x7, x13, x7, ror #3
    eor x7, x14, x7, ror #3
    eor x7, x15, x7, ror #3
    eor x7, x16, x7, ror #3
    eor x7, x17, x7, ror #3
    eor x7, x18, x7, ror #3
    eor x7, x19, x7, ror #3
    ret

// Executed at x5: writes w6 over the insn that follows the barriers.
writer:
    ldr w10, [x5, #(8f - writer)]
    str w6, [x5, #(8f - writer)]
    ldr w11, [x5, #(8f - writer)]
    str w10, [x5, #0x80]
    add x0, x0, #0x40
    add x9, x5, #(8f - writer)
    code_written x9, nsh
8:  add x0, x0, #0
    sub w11, w11, w6
    add x0, x0, x11
    ret
writer_end:
    no_irq_handler
    library
