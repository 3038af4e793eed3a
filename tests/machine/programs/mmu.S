// VMSAv8-64 with 4K pages, 39 bits: the first GiB is device memory (a block), the second one RAM by 2 MiB blocks but
// for 0x40400000, which has pages.
    .include "bare.inc"
    .equ L1, 0x40300000
    .equ L2, 0x40301000
    .equ L3, 0x40302000
    .equ RAM, 0x701                 // block, AF, inner shareable, attribute 0
    .equ PAGE, 0x703

    start
    mov x20, #0
    clear L1, 0x3000
    entry L1, 0, 0x405
    entry L1, 1, (L2 + 3)
    entry L2, 0, (0x40000000 + RAM)
    entry L2, 1, (0x40200000 + RAM)
    entry L2, 2, (L3 + 3)
    entry L3, 0, (0x40500000 + PAGE)
    entry L3, 1, (0x40501000 + PAGE + 0x80)           // read-only
    entry L3, 2, (0x40502000 + PAGE - 0x400)          // AF = 0
    entry L3, 3, (0x40503000 + PAGE + 0x40)           // EL0 as well
    entry L3, 4, (0x0060000040504000 + PAGE)          // PXN, UXN
    entry L3, 0x100, (0x40500000 + PAGE)
    entry L3, 0x101, (0x40501000 + PAGE)
    mmu_on L1
    print "on\n"

    ldr x5, =0x40400000
    ldr x6, =0x1122334455667788
    str x6, [x5, #3]                // normal memory: misaligned is fine
    ldr x7, [x5, #3]
    show value, x7
    add x8, x5, #0xffc
    str x6, [x8]                    // into the read-only page: a fault at its start
    ldr w7, [x8]
    show low, x7
    ldr x7, [x5, #0x1000]
    str x7, [x5, #0x1008]
    ldr x7, [x5, #0x2000]
    ldr x7, =0x40600000
    ldr x7, [x7]                    // no level 2 entry
    ldr x7, =0x80000000
    str x7, [x7]                    // no level 1 entry
    ldr x7, =0xff00000000000000
    ldr x7, [x7]                    // not canonical
    ldr x20, =2f
    add x0, x5, #0x4000
    br x0                           // PXN
2:  ldr x20, =3f
    add x0, x5, #0x3000
    br x0                           // writable at EL0: not executable at EL1
3:
    // A page of code that moves: TLBI, then other code at the same address.
    ldr x0, =0x40500010             // behind the value above
    ldr x1, =0x52800020             // mov w0, #1
    str w1, [x0]
    ldr x1, =0xd65f03c0             // ret
    str w1, [x0, #4]
    ldr x0, =0x40501010
    ldr x1, =0x52800040             // mov w0, #2
    str w1, [x0]
    ldr x1, =0xd65f03c0
    str w1, [x0, #4]
    ic iallu
    dsb sy
    isb
    add x19, x5, #0x10
    blr x19
    show first, x0
    entry L3, 0, (0x40501000 + PAGE)
    dsb sy
    lsr x0, x19, #12
    tlbi vae1, x0
    dsb sy
    isb
    blr x19
    show second, x0
    // Code that changes in place.
    ldr x0, =0x40501010
    ldr x1, =0x52800060             // mov w0, #3
    str w1, [x0]
    code_written x0
    blr x19
    show third, x0
    print "\n"

    // AT
    add x0, x5, #0x3000
    at s1e0w, x0
    mrs x0, par_el1
    show par, x0
    at s1e1w, x5
    mrs x0, par_el1
    show par, x0
    add x0, x5, #0x1000
    at s1e1w, x0
    mrs x0, par_el1
    show par, x0
    print "\n"

    // PAN
    msr pan, #1
    ldr x7, [x5, #0x3000]
    ldtr x7, [x5, #0]               // EL0 may not
    add x0, x5, #0x3000
    ldtr x7, [x0]                   // but here
    msr pan, #0
    ldr x7, [x5, #0x3000]
    print "end\n"
    power_off
    no_irq_handler
    library
