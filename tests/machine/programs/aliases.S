// EL0 code in two pages that are mapped at twelve addresses: what it makes of its own address is that of the mapping it
// runs in. Then the code changes, and then some mappings lead to other pages.
    .include "bare.inc"
    .equ L1, 0x40300000
    .equ L2, 0x40301000
    .equ L3, 0x40302000
    .equ P, 0x40500000              // the copies of the code below
    .equ OTHER_P, 0x40510000
    .equ BASE, 0x80000000
    .equ DISTANCE, 0x4000           // between mappings
    .equ COUNT, 12
    .equ PAGE, 0xf43                // nG, AF, inner shareable, EL0

    // Copies the two pages to \to. Changes x0 to x3.
    .macro copy_code to
    adr x0, code
    ldr x1, =\to
    mov x2, #0x2000
9012: ldr x3, [x0], #8
    str x3, [x1], #8
    subs x2, x2, #8
    b.ne 9012b
    .endm

    // The insn at \label of the copy at P becomes \insn. Changes x0 and x1.
    .macro rewrite label, insn
    ldr x0, =P
    adr x1, \label
    add x0, x0, x1
    adr x1, code
    sub x0, x0, x1
    ldr w1, =\insn
    str w1, [x0]
    code_written x0
    .endm

    // Mapping \number's page \page is at \to.
    .macro map_page number, page, to
    entry L3, (4 * \number + \page), (\to + PAGE)
    dsb sy
    ldr x0, =((BASE + DISTANCE * \number + 0x1000 * \page) >> 12)
    tlbi vaae1, x0
    dsb sy
    isb
    .endm

    // Runs the code in mapping x19. Changes all but x19 and x22.
    .macro run
    mov x0, #DISTANCE
    ldr x1, =BASE
    madd x0, x19, x0, x1
    msr elr_el1, x0
    msr spsr_el1, xzr
    adr x20, 9013f
    eret
9013: show own, x5
    show next, x6
    show word, x7
    show sum, x8
    show tail, x10
    show seen, x11
    print "\n"
    .endm

    .macro run_all
    mov x19, #0
9014: run
    add x19, x19, #1
    cmp x19, #COUNT
    b.ne 9014b
    .endm

    start
    clear L1, 0x3000
    copy_code P
    copy_code OTHER_P
    ic iallu
    dsb sy
    isb
    entry L1, 0, 0x405
    entry L1, 1, (0x40000000 + 0x701)
    entry L1, 2, (L2 + 3)
    entry L2, 0, (L3 + 3)
    ldr x0, =L3
    ldr x1, =(P + PAGE)
    mov x2, #COUNT
1:  str x1, [x0]
    add x3, x1, #0x1000
    str x3, [x0, #8]
    add x0, x0, #32
    subs x2, x2, #1
    b.ne 1b
    mmu_on L1

    mov x22, #2
2:  run_all
    subs x22, x22, #1
    b.ne 2b

    print "changed\n"
    rewrite leaf, 0xcb1e0108        // sub x8, x8, x30
    run_all
    rewrite far_leaf, 0x8b1e0108    // add x8, x8, x30
    run_all

    print "mapped\n"
    map_page 3, 1, (OTHER_P + 0x1000)
    map_page 5, 0, OTHER_P
    map_page 7, 0, OTHER_P
    map_page 7, 1, (OTHER_P + 0x1000)
    run_all
    map_page 3, 1, (P + 0x1000)
    map_page 5, 0, P
    map_page 7, 0, P
    run_all
    print "end\n"
    power_off
    no_irq_handler
    library

    .balign 4096
code:
    adr x5, code
    adrp x6, far_leaf
    add x6, x6, #0x10
    ldr x7, word
    mov x8, #0
    mov x9, #100
    adr x12, leaf
3:  bl leaf
    bl far_leaf
    blr x12
    subs x9, x9, #1
    b.ne 3b
    ldr x11, [x6, #(seen - far_leaf - 0x10)]
    svc #1
leaf:
    add x8, x8, x30
    ret
    .balign 8
word: .quad 0x1122334455667788

    .balign 4096
far_leaf:
    eor x8, x8, x30
    ror x8, x8, #7
    cbz x9, 4f
    adr x10, 4f
    b 5f
4:  brk #1
5:  tbnz x8, #3, code_leaf
    ret
code_leaf:
    b leaf
    .balign 8
seen: .quad 0x99aabbccddeeff00
    .balign 4096
