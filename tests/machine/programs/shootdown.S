// Two CPUs. One moves a page between two frames, with TLBI and DSB, and then spoils the frame that the page has left; the
// other reads the page all the time and must never see a spoiled one. It reads in address space 1, and in every fourth
// turn goes through address space 2: there it need not be waited for.
    .include "bare.inc"
    .equ L1, 0x40300000
    .equ L2, 0x40301000
    .equ L3, 0x40302000
    .equ STATE, 0x40303000          // 0: the other CPU is on; 8: it saw a spoiled frame; 16: stop; 24: its reads
    .equ STACK2, 0x40220000
    .equ FRAMES, 0x40500000
    .equ PAGE, 0xf03                // inner shareable, not global
    .equ TURNS, 400

    .macro space asid               // changes x0 and x1
    ldr x0, =L1
    mov x1, #\asid
    orr x0, x0, x1, lsl #48
    msr ttbr0_el1, x0
    isb
    .endm

    .macro translate
    mov x0, #0xff
    msr mair_el1, x0
    ldr x0, =0x200803519
    msr tcr_el1, x0
    space 1
    translation_on
    .endm

    start
    mov x20, #0
    clear L1, 0x4000
    entry L1, 0, 0x405
    entry L1, 1, (L2 + 3)
    entry L2, 0, 0x40000701
    entry L2, 1, 0x40200701
    entry L2, 2, (L3 + 3)
    entry L3, 0, (FRAMES + PAGE)
    entry L3, 0x100, (FRAMES + PAGE)
    entry L3, 0x101, (FRAMES + 0x1000 + PAGE)
    translate
    ldr x0, =0xc4000003             // CPU_ON
    mov x1, #1
    adr x2, other
    mov x3, #0
    hvc #0
    cbz x0, 1f
    print "no second CPU\n"
1:  ldr x19, =STATE
2:  ldar x0, [x19]
    cbz x0, 2b

    ldr x21, =TURNS
    mov x22, #0                     // the frame the page is in
    ldr x23, =0x40400000            // the page
    ldr x24, =L3
    ldr x25, =FRAMES
3:  add x26, x25, x22, lsl #12      // the old one
    eor x22, x22, #1
    add x27, x25, x22, lsl #12      // the new one
    str xzr, [x27]
    dsb ishst
    mov x0, #PAGE
    orr x0, x0, x27
    str x0, [x24]
    dsb ishst
    lsr x0, x23, #12
    mov x1, #1
    orr x0, x0, x1, lsl #48
    tlbi vae1is, x0
    dsb ish
    mov x0, #1
    str x0, [x26]
    ldr x0, [x19, #8]
    cbnz x0, 4f
    subs x21, x21, #1
    b.ne 3b
4:  mov x0, #1
    add x1, x19, #16
    stlr x0, [x1]
    ldr x0, [x19, #8]
    cbz x0, 5f
    print "a spoiled frame was read\n"
5:  ldr x0, [x19, #24]
    cbnz x0, 6f
    print "nothing was read\n"
6:  print "done\n"
    power_off

other:
    ldr x0, =STACK2
    mov sp, x0
    ldr x0, =vectors
    msr vbar_el1, x0
    translate
    ldr x19, =STATE
    ldr x23, =0x40400000
    mov x21, #0
    mov x0, #1
    stlr x0, [x19]
7:  ldr x1, [x23]
    cbnz x1, 8f
    add x21, x21, #1
    str x21, [x19, #24]
    tst x21, #3
    b.ne 9f
    space 2
    space 1
9:  add x0, x19, #16
    ldar x0, [x0]
    cbz x0, 7b
    b .
8:  mov x0, #1
    str x0, [x19, #8]
    dsb sy
    b .
    no_irq_handler
    library
