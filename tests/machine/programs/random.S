// What surrounds random code (tests/machine/random): it is started with the registers in PARAMETERS, at EL0 or EL1, and
// every exception it takes is written down with a sum of the registers. The test has made the tables. Handlers change
// mappings and code, at random but always in the same way.
    .include "bare.inc"
    .equ TABLES, 0x40300000
    .equ DATA_TABLE, 0x40302000     // of the pages from 0x40600000 on; those from 0x40680000 on, 16, are mapped at random
    .equ CODE_TABLE, 0x40303000     // of those from 0x40400000 on
    .equ CODE_SHADOW, 0x40304000    // what each of these entries is when it is there
    .equ PARAMETERS, 0x40310000     // x0 to x30, SP, SPSR, pc, FPCR; v0 to v31 from 0x200 on
    .equ STATE, 0x40318000          // how many exceptions, a random number, after how many it ends
    .equ RESULT, 0x40320000         // SP, SPSR, FPSR; v0 to v31 from 0x200 on
    .equ LOG, 0x40340000            // of each exception: ESR, FAR, ELR, SPSR, sum, random number
    .equ WINDOW_64K, 0x4068
    .equ FRAMES, 0x40a00000
    .equ PATCHED, 0x4083e010        // an ADD (immediate), in two frames that take turns
    .equ PATCHED_PAGE, 31
    .equ PAGE, 0xf43                // AF, inner shareable, EL0 too, not global
    .equ READ_ONLY, 0x80
    .equ DEVICE, 4
    .equ TEST_DEVICE, 0x0b000000
    .equ NOWHERE, 0x30000000

    .macro vectors_do op
    \op q0, q1, [x1]
    \op q2, q3, [x1, #0x20]
    \op q4, q5, [x1, #0x40]
    \op q6, q7, [x1, #0x60]
    \op q8, q9, [x1, #0x80]
    \op q10, q11, [x1, #0xa0]
    \op q12, q13, [x1, #0xc0]
    \op q14, q15, [x1, #0xe0]
    \op q16, q17, [x1, #0x100]
    \op q18, q19, [x1, #0x120]
    \op q20, q21, [x1, #0x140]
    \op q22, q23, [x1, #0x160]
    \op q24, q25, [x1, #0x180]
    \op q26, q27, [x1, #0x1a0]
    \op q28, q29, [x1, #0x1c0]
    \op q30, q31, [x1, #0x1e0]
    .endm

    .macro registers_do op, base
    \op x2, x3, [\base, #16]
    \op x4, x5, [\base, #32]
    \op x6, x7, [\base, #48]
    \op x8, x9, [\base, #64]
    \op x10, x11, [\base, #80]
    \op x12, x13, [\base, #96]
    \op x14, x15, [\base, #112]
    \op x16, x17, [\base, #128]
    \op x18, x19, [\base, #144]
    \op x20, x21, [\base, #160]
    \op x22, x23, [\base, #176]
    \op x24, x25, [\base, #192]
    \op x26, x27, [\base, #208]
    \op x28, x29, [\base, #224]
    .endm

    // Forgets the page whose address is in x1.
    .macro forget
    dsb ishst
    lsr x1, x1, #12
    tlbi vaae1, x1
    dsb nsh
    isb
    .endm

    start
    ldr x0, =our_vectors
    msr vbar_el1, x0
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    mmu_on TABLES
    mrs x0, sctlr_el1
    orr x0, x0, #(1 << 14)          // DC ZVA in EL0
    msr sctlr_el1, x0
    isb
    ldr x0, =PARAMETERS
    add x1, x0, #0x200
    vectors_do ldp
    ldp x1, x2, [x0, #0xf8]
    msr sp_el0, x1
    msr spsr_el1, x2
    ldp x1, x2, [x0, #0x108]
    msr elr_el1, x1
    msr fpcr, x2
    registers_do ldp, x0
    ldr x30, [x0, #240]
    ldp x0, x1, [x0]
    eret

handler:
    sub sp, sp, #256
    stp x0, x1, [sp]
    registers_do stp, sp
    str x30, [sp, #240]
    mov x1, sp
    mov x2, #31
    mrs x3, sp_el0
1:  ldr x4, [x1], #8
    eor x3, x4, x3, ror #7
    subs x2, x2, #1
    b.ne 1b
    fmov x4, d0
    eor x3, x4, x3, ror #7
    mov x4, v1.d[1]
    eor x3, x4, x3, ror #7
    mov x4, v2.d[0]
    eor x3, x4, x3, ror #7
    mrs x5, esr_el1
    mrs x6, far_el1
    mrs x7, elr_el1
    mrs x8, spsr_el1
    lsr x9, x5, #26
    and x10, x9, #0x38
    cmp x10, #0x20                  // aborts
    csel x6, x6, xzr, eq
    ldr x11, =STATE
    ldp x12, x13, [x11]
    ldr x14, =LOG
    mov x15, #48
    madd x14, x12, x15, x14
    stp x5, x6, [x14]
    stp x7, x8, [x14, #16]
    stp x3, x13, [x14, #32]
    add x12, x12, #1
    ldr x15, =6364136223846793005   // Knuth's MMIX generator
    mul x13, x13, x15
    ldr x15, =1442695040888963407
    add x13, x13, x15
    stp x12, x13, [x11]
    ldr x15, [x11, #16]
    cmp x12, x15
    b.hs finish
    lsr x13, x13, #33
    cmp x9, #0x15
    b.eq call
    lsr x10, x9, #1
    cmp x10, #(0x24 / 2)
    b.eq data_abort
    cmp x10, #(0x20 / 2)
    b.eq insn_abort
skip:
    add x7, x7, #4
    msr elr_el1, x7
back:
    ldr x30, [sp, #240]
    registers_do ldp, sp
    ldp x0, x1, [sp]
    add sp, sp, #256
    eret

// The part in the page before of a store that has been refused may have been done or not: that is forgotten.
give_up:
    tbz x5, #6, skip                // reads
    sub x0, x6, #0x1000
    lsr x2, x0, #16
    ldr x3, =WINDOW_64K
    cmp x2, x3
    b.ne skip
    ubfx x0, x0, #12, #4
    ldr x2, =(DATA_TABLE + 0x400)
    ldr x3, [x2, x0, lsl #3]
    lsr x0, x3, #24
    cmp x0, #(FRAMES >> 24)
    b.ne skip                       // nothing, or no RAM
    and x3, x3, #0xfffff000
    add x3, x3, #0xfc0
    stp xzr, xzr, [x3]
    stp xzr, xzr, [x3, #16]
    stp xzr, xzr, [x3, #32]
    stp xzr, xzr, [x3, #48]
    b skip

data_abort:
    lsr x2, x6, #16
    ldr x3, =WINDOW_64K
    cmp x2, x3
    b.ne give_up
    ubfx x0, x6, #12, #4
    and x1, x5, #0x3c
    cmp x1, #4                      // translation
    b.eq map
    cmp x1, #0xc                    // permission
    b.ne give_up
    tbnz x13, #20, give_up
    ldr x2, =(DATA_TABLE + 0x400)
    ldr x3, [x2, x0, lsl #3]
    bic x3, x3, #READ_ONLY
    b set_data

// Lets page x0 of the window show something.
map:
    ubfx x1, x13, #8, #5
    ldr x3, =(FRAMES + PAGE)
    add x3, x3, x1, lsl #12
    ubfx x2, x13, #16, #4
    cmp x2, #10
    b.lo set_data
    cmp x2, #13
    b.hs 1f
    orr x3, x3, #READ_ONLY
    b set_data
1:  orr x3, x3, #DEVICE             // 15: RAM
    cmp x2, #14
    b.hi set_data
    ldr x1, =(TEST_DEVICE + PAGE + DEVICE)
    ldr x3, =(NOWHERE + PAGE + DEVICE)
    csel x3, x1, x3, ne
set_data:
    ldr x2, =(DATA_TABLE + 0x400)
    str x3, [x2, x0, lsl #3]
    ldr x1, =0x40680000
    add x1, x1, x0, lsl #12
    forget
    b back

insn_abort:
    and x1, x5, #0x3c
    cmp x1, #4
    b.ne unexpected
    ubfx x0, x6, #12, #9
    ldr x1, =CODE_SHADOW
    ldr x3, [x1, x0, lsl #3]
    cbz x3, unexpected
set_code:
    ldr x2, =CODE_TABLE
    str x3, [x2, x0, lsl #3]
    ldr x1, =0x40400000
    add x1, x1, x0, lsl #12
    forget
    b back

call:
    and x0, x5, #7
    adr x1, 1f
    add x1, x1, x0, lsl #2
    br x1
1:  b 2f
    b 3f
    b 4f
    b 5f
    b 6f
    b 7f
    b back
    b finish
2:  ubfx x0, x13, #4, #4            // a page goes
    mov x3, #0
    b set_data
3:  ubfx x0, x13, #4, #4            // a page changes
    b map
4:  ldr x2, =(DATA_TABLE + 0x400)   // all pages go
    mov x0, #16
1:  str xzr, [x2], #8
    subs x0, x0, #1
    b.ne 1b
    dsb ishst
    tlbi vmalle1
    dsb nsh
    isb
    b back
5:  ldr x0, =PATCHED                // code is written
    and x1, x13, #0x1000
    eor x0, x0, x1
    ubfx x1, x13, #4, #5
    ldr x2, =0x91000063             // add x3, x3, #0
    orr x1, x2, x1, lsl #10
    str w1, [x0]
    code_written x0, ish
    b back
6:  ldr x1, =CODE_SHADOW            // code moves
    mov x0, #PATCHED_PAGE
    ldr x3, [x1, x0, lsl #3]
    eor x3, x3, #0x1000
    str x3, [x1, x0, lsl #3]
    b set_code
7:  ubfx x0, x13, #4, #3            // a page of code goes
    mov x3, #0
    b set_code

finish:
    ldr x0, =RESULT
    mrs x1, sp_el0
    mrs x2, fpsr
    stp x1, x8, [x0]
    str x2, [x0, #16]
    add x1, x0, #0x200
    vectors_do stp
    power_off
unexpected:
    print "unexpected: "
    mrs x0, esr_el1
    bl puthex
    mrs x0, far_el1
    bl puthex
    mrs x0, elr_el1
    bl puthex
    power_off

    .ltorg
    .balign 2048
our_vectors:
    b handler
    .balign 128
    b unexpected
    .balign 128
    b unexpected
    .balign 128
    b unexpected
    .balign 128
    b unexpected
    .balign 128
    b unexpected
    .balign 128
    b unexpected
    .balign 128
    b unexpected
    .balign 128
    b handler
    .balign 128
    b unexpected
    .balign 128
    b unexpected
    .balign 128
    b unexpected
    .balign 128
    b unexpected
    .balign 128
    b unexpected
    .balign 128
    b unexpected
    .balign 128
    b unexpected
    no_irq_handler
    library
