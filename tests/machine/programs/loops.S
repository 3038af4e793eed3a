// Loops that become regions, and what happens to them in the middle: pages that are not there until a handler maps them,
// accesses that lie in two pages, mappings of data and of code that change, code that is written, devices, interrupts.
    .include "bare.inc"
    .equ L1, 0x40300000
    .equ L2, 0x40301000
    .equ L3, 0x40302000             // of the pages from 0x40400000 on; those from 0x40500000 on are the frames
    .equ FRAMES, 0x40500000
    .equ RAM, 0x701                 // block, AF, inner shareable, attribute 0
    .equ PAGE, 0x703

    // The page with this number shows the frame in x0. Changes x0 and x1.
    .macro map page
    mov x1, #PAGE
    orr x0, x0, x1
    ldr x1, =(L3 + 8 * \page)
    str x0, [x1]
    dsb ishst
    ldr x0, =(0x40400000 + 0x1000 * \page)
    lsr x0, x0, #12
    tlbi vaae1, x0
    dsb nsh
    isb
    .endm

    // Writes insn x1 to frame address x0 and lets it be executed.
    .macro patch
    str w1, [x0]
    code_written x0, ish
    .endm

    start
    ldr x0, =our_vectors
    msr vbar_el1, x0
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    mov x20, #0
    clear L1, 0x3000
    entry L1, 0, 0x405
    entry L1, 1, (L2 + 3)
    entry L2, 0, (0x40000000 + RAM)
    entry L2, 1, (0x40200000 + RAM)
    entry L2, 2, (L3 + 3)
    ldr x0, =(L3 + 0x800)
    ldr x1, =(FRAMES + PAGE)
    mov x2, #32
1:  str x1, [x0], #8
    add x1, x1, #0x1000
    subs x2, x2, #1
    b.ne 1b
    mmu_on L1

    // 64800 bytes, in steps that put pairs across the ends of pages; flags live over each store.
    mov x19, #0
    ldr x5, =0x40400008
    ldr x6, =0x0123456789abcdef
    mov x7, #1
    mov x13, #2700
1:  subs x13, x13, #1
    stp x6, x7, [x5], #24
    str x13, [x5, #-8]
    ror x6, x6, #7
    add x7, x7, x6
    b.ne 1b
    show stored, x7
    show faults, x19
    bl forget
    mov x19, #0
    ldr x5, =0x40400008
    mov x7, #0
    mov x13, #2700
2:  subs x13, x13, #1
    ldp x8, x9, [x5], #24
    ldr x10, [x5, #-8]
    ldr w11, [x5, #-13]
    ldr q0, [x5, #-24]
    mov x12, v0.d[1]
    eor x7, x8, x7, ror #3
    eor x7, x9, x7, ror #3
    eor x7, x10, x7, ror #3
    eor x7, x11, x7, ror #3
    eor x7, x12, x7, ror #3
    b.ne 2b
    show loaded, x7
    show faults, x19
    print "\n"

    // A frame in two pages, some accesses across.
    bl forget
    mov x19, #0
    ldr x5, =(0x40401000 - 24)
    mov x13, #3000
    mov x7, #0
3:  ldr x1, [x5, #-16]
    ldr x2, [x5, #40]
    add x1, x1, x13
    eor x2, x2, x1, ror #9
    str x1, [x5, #8]
    stp x1, x2, [x5, #16]
    ldrh w3, [x5, #23]
    ldur x4, [x5, #18]
    strb w3, [x5, #45]
    str x4, [x5, #-16]
    eor x7, x4, x7, ror #1
    subs x13, x13, #1
    b.ne 3b
    show frame, x7
    show faults, x19
    print "\n"

    // A page of data that moves.
    ldr x6, =FRAMES
    mov x0, #1
    str x0, [x6, #0xff0]
    mov x0, #1000
    add x1, x6, #0x1000
    str x0, [x1, #0xff0]
    mov x14, #300
    mov x7, #0
4:  mov x0, x6
    map 3
    ldr x5, =0x40403ff0
    mov x13, #64
5:  ldr x0, [x5]
    add x7, x7, x0
    subs x13, x13, #1
    b.ne 5b
    eor x6, x6, #0x1000
    subs x14, x14, #1
    b.ne 4b
    show moved, x7

    // A function in a page of its own that is written again and again.
    ldr x0, =(FRAMES + 0x5004)
    ldr x1, =0xd65f03c0             // ret
    patch
    ldr x0, =(FRAMES + 0x6004)
    patch
    ldr x0, =(FRAMES + 0x6000)
    ldr x1, =0x91000442             // add x2, x2, #1
    patch
    ldr x0, =(FRAMES + 0x5000)
    map 5
    ldr x16, =0x40405000
    mov x2, #0
    mov x14, #40
6:  ldr x0, =(FRAMES + 0x5000)
    ldr x1, =0x91000042             // add x2, x2, #0
    orr x1, x1, x14, lsl #10
    patch
    mov x13, #200
7:  blr x16
    subs x13, x13, #1
    b.ne 7b
    subs x14, x14, #1
    b.ne 6b
    show written, x2

    // ... and that moves.
    ldr x0, =(FRAMES + 0x5000)
    ldr x1, =0x91019042             // add x2, x2, #100
    patch
    ldr x6, =(FRAMES + 0x5000)
    mov x2, #0
    mov x14, #60
8:  mov x0, x6
    map 5
    mov x13, #200
9:  blr x16
    subs x13, x13, #1
    b.ne 9b
    eor x6, x6, #0x3000
    subs x14, x14, #1
    b.ne 8b
    show called, x2
    print "\n"

    // A device's register.
    ldr x5, =UART
    mov x7, #0
    mov x13, #1000
10: str w13, [x5, #0x24]
    ldr w0, [x5, #0x24]
    add x7, x7, x0
    subs x13, x13, #1
    b.ne 10b
    show device, x7

    // Interrupts, which change a register.
    timer_interrupts_on
    mov x22, #0
    mov x13, #8
    msr daifclr, #2
11: mov x21, x22
    mov x0, #20000
    msr cntv_tval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
    mov x7, #0
12: add x7, x7, #1
    cmp x21, x22
    b.eq 12b
    subs x13, x13, #1
    b.ne 11b
    show interrupts, x22
    print "done\n"
    power_off

// Unmaps the pages from 0x40400000 on.
forget:
    ldr x0, =L3
    mov x1, #16
1:  str xzr, [x0], #8
    subs x1, x1, #1
    b.ne 1b
    dsb ishst
    tlbi vmalle1
    dsb nsh
    isb
    ret

irq_handler:
    mrs x0, S3_0_C12_C12_0          // ICC_IAR1_EL1
    msr cntv_ctl_el0, xzr
    isb
    msr S3_0_C12_C12_1, x0          // ICC_EOIR1_EL1
    add x22, x22, #1
    ldp x0, x1, [sp], #16
    eret

// Maps the page that was missed.
sync_handler:
    mrs x0, esr_el1
    and x1, x0, #0x3f
    cmp x1, #7                      // translation fault, level 3
    b.ne 2f
    mrs x0, far_el1
    ubfx x0, x0, #12, #8
    ldr x1, =L3
    add x1, x1, x0, lsl #3
    lsl x0, x0, #12
    add x0, x0, #PAGE
    stp x2, x3, [sp, #-16]!
    ldr x2, =FRAMES
    add x0, x0, x2
    str x0, [x1]
    dsb ishst
    ldp x2, x3, [sp], #16
    add x19, x19, #1
    ldp x0, x1, [sp], #16
    msr nzcv, xzr                   // ERET brings the old ones
    eret
2:  print "unexpected\n"
    power_off

    .ltorg
    .balign 2048
our_vectors:
    .space 0x200
    stp x0, x1, [sp, #-16]!
    b sync_handler
    .balign 128
    stp x0, x1, [sp, #-16]!
    b irq_handler
    library
