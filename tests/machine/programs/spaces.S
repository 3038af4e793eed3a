// Address spaces that share the tables of the upper half, as a kernel with page-table isolation has them: nothing there
// is global. An address space that is new sees what the tables say when it is entered; one that is not sees it after
// TLBI. All at EL1, ASID in TTBR1_EL1.
    .include "bare.inc"
    .equ L1, 0x40300000             // the lower half
    .equ L2, 0x40301000
    .equ L3, 0x40302000
    .equ M1, 0x40303000             // the lower half in other address spaces
    .equ M2, 0x40304000
    .equ M3, 0x40305000
    .equ U1, 0x40306000             // the upper half
    .equ U2, 0x40307000
    .equ U3, 0x40308000
    .equ V1, 0x40309000             // another one
    .equ V2, 0x4030a000
    .equ V3, 0x4030b000
    .equ A, 0x40500000              // pages with a number, and code that returns it
    .equ B, 0x40501000
    .equ C, 0x40502000
    .equ RAM, 0x701                 // block, AF, inner shareable, attribute 0
    .equ GLOBAL, 0x703
    .equ PAGE, 0xf03                // nG

    // One that walks see from now on.
    .macro seen_entry table, index, value
    entry \table, \index, \value
    dsb sy
    .endm

    .macro page at, number
    ldr x0, =\at
    mov x1, #\number
    str x1, [x0, #0x100]
    movz w2, #0x5280, lsl #16       // mov w0, #number
    orr w2, w2, w1, lsl #5
    str w2, [x0]
    ldr w2, =0xd65f03c0             // ret
    str w2, [x0, #4]
    .endm

    .macro enter asid, upper
    ldr x0, =(\asid << 48 | \upper)
    msr ttbr1_el1, x0
    isb
    .endm

    // What is at x19.
    .macro look name
    ldr x21, [x19, #0x100]
    blr x19
    add x0, x0, x21, lsl #4
    show \name, x0
    .endm

    .macro forget what, asid
    ldr x0, =(\asid << 48)
    ubfx x1, x19, #12, #44
    orr x0, x0, x1
    tlbi \what, x0
    dsb sy
    isb
    .endm

    start
    mov x20, #0
    clear L1, 0xc000
    page A, 1
    page B, 2
    page C, 3
    ic iallu
    seen_entry L1, 0, 0x405
    seen_entry L1, 1, (0x40000000 + RAM)
    seen_entry L1, 2, (L2 + 3)
    seen_entry L2, 0, (L3 + 3)
    seen_entry L3, 0, (A + PAGE)
    seen_entry M1, 0, 0x405
    seen_entry M1, 1, (0x40000000 + RAM)
    seen_entry M1, 2, (M2 + 3)
    seen_entry M2, 0, (M3 + 3)
    seen_entry M3, 0, (C + PAGE)
    seen_entry U1, 0, (U2 + 3)
    seen_entry U2, 0, (U3 + 3)
    seen_entry U3, 0, (A + PAGE)
    seen_entry U3, 1, (C + GLOBAL)
    seen_entry V1, 0, (V2 + 3)
    seen_entry V2, 0, (V3 + 3)
    seen_entry V3, 0, (C + PAGE)
    mov x0, #0xff
    msr mair_el1, x0
    ldr x0, =0x2b5593519            // T0SZ and T1SZ 25, 4K, A1, 40 bits
    msr tcr_el1, x0
    ldr x0, =L1
    msr ttbr0_el1, x0
    enter 1, U1
    translation_on

    ldr x19, =0xffffff8000000000
    look first
    enter 2, U1
    look second
    seen_entry U3, 0, (B + PAGE)
    enter 3, U1                     // has never seen it
    look third
    forget aside1, 2
    enter 2, U1
    look second
    forget vaae1, 0
    enter 1, U1
    look first
    print "\n"

    // By address in one of them, while another one is entered.
    seen_entry U3, 0, (C + PAGE)
    forget vae1, 2
    forget vae1, 1
    look first
    enter 2, U1
    look second
    forget vae1, 3
    enter 3, U1
    look third
    print "\n"

    // Other tables.
    mov x22, #3
2:  enter 4, V1
    look other
    enter 1, U1
    seen_entry U3, 0, (A + PAGE)
    forget vae1, 1
    look this
    seen_entry V3, 0, (B + PAGE)
    forget vae1, 4
    subs x22, x22, #1
    b.ne 2b
    print "\n"

    // Fewer permissions in one that is new.
    str x19, [x19, #0x108]
    seen_entry U3, 0, (A + PAGE + 0x80)
    enter 5, U1
    ldr x0, [x19, #0x108]
    show value, x0
    str x19, [x19, #0x108]
    seen_entry U3, 0, (A + PAGE + 0x0020000000000000)  // PXN
    enter 6, U1
    str x19, [x19, #0x108]
    ldr x20, =3f
    br x19
3:  seen_entry U3, 0, 0
    enter 7, U1
    ldr x0, [x19, #0x100]

    // A global one.
    add x19, x19, #0x1000
    look global
    enter 8, U1
    look global
    seen_entry U3, 1, (B + GLOBAL)
    forget vae1, 99
    look global
    enter 7, U1
    look global
    print "\n"

    // The lower half.
    mov x22, #3
    mov x19, #0x80000000
4:  ldr x0, =L1
    msr ttbr0_el1, x0
    enter 9, U1
    look lower
    ldr x0, =M1
    msr ttbr0_el1, x0
    enter 10, U1
    look lower
    subs x22, x22, #1
    b.ne 4b
    print "\nend\n"
    power_off
    no_irq_handler
    library
