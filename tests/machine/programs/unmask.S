// An interrupt that waits while it is masked is taken at the insn that unmasks it, by each of them. CNTVCT_EL0 goes on.
    .include "bare.inc"

    .macro pending
    mov x0, #1
    msr cntv_tval_el0, xzr
    msr cntv_ctl_el0, x0
    isb
1:  mrs x0, isr_el1
    tbz x0, #7, 1b
    cbnz x22, wrong
    .endm

    .macro taken how
    cbz x22, wrong
    mov x22, #0
    print "\how\n"
    .endm

    start
    mov x22, #0
    timer_interrupts_on
    pending
    msr daifclr, #2
    taken "daifclr"
    msr daifset, #2
    pending
    msr daif, xzr
    taken "daif"
    msr daifset, #2
    pending
    adr x0, 2f
    msr elr_el1, x0
    mov x0, #5
    msr spsr_el1, x0
    eret
2:  taken "eret"
    msr daifset, #2
    mrs x0, cntvct_el0
3:  mrs x1, cntvct_el0
    cmp x1, x0
    b.eq 3b
    b.lo wrong
    print "counts\n"
    power_off
wrong:
    print "wrong\n"
    power_off

irq_handler:
    str x0, [sp, #-16]!
    mrs x23, S3_0_C12_C12_0         // ICC_IAR1_EL1
    msr cntv_ctl_el0, xzr
    isb
    msr S3_0_C12_C12_1, x23         // ICC_EOIR1_EL1
    add x22, x22, #1
    ldr x0, [sp], #16
    eret
    library
