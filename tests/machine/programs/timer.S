// The virtual timer's interrupt through the GICv3, taken out of WFI.
    .include "bare.inc"
    start
    timer_interrupts_on
    mov x22, #3
    mov x0, #20000
    msr cntv_tval_el0, x0
    mov x0, #1
    msr cntv_ctl_el0, x0
1:  msr daifset, #2                 // no interrupt between the look at x22 and WFI
    cbz x22, 3f
    wfi
    msr daifclr, #2
    b 1b
3:  print "done\n"
    power_off

irq_handler:
    mrs x0, S3_0_C12_C12_0          // ICC_IAR1_EL1
    mov x23, x0
    show intid, x0
    mrs x0, cntv_ctl_el0
    show ctl, x0
    print "\n"
    mov x0, #20000
    msr cntv_tval_el0, x0
    msr S3_0_C12_C12_1, x23         // ICC_EOIR1_EL1
    subs x22, x22, #1
    b.ne 2f
    msr cntv_ctl_el0, xzr           // a slow machine would never get out of here
    isb
2:  eret
    library
