// The cycle counter's overflow interrupt, PPI 23: taken out of WFI, filtered by exception level, by software.
    .include "bare.inc"
    .equ CYCLE, 1 << 31

    .macro count_from value
    ldr x0, =\value
    msr pmccntr_el0, x0
    isb
    .endm

    // Until an interrupt came.
    .macro wait_for_one
1:  msr daifset, #2
    cbnz x22, 2f
    wfi
    msr daifclr, #2
    b 1b
2:  mov x22, #0
    .endm

    // A while, so long that what was to come has come.
    .macro pause
    mrs x0, cntvct_el0
    mrs x1, cntfrq_el0
    lsr x1, x1, #6
    add x0, x0, x1
3:  mrs x1, cntvct_el0
    cmp x1, x0
    b.lo 3b
    .endm

    start
    mov x20, #0
    mov x22, #0
    timer_interrupts_on
    ldr x0, =(GICR + 0x10000)
    mov w1, #(1 << 23)
    str w1, [x0, #0x100]
    mov x0, #CYCLE
    msr pmcntenset_el0, x0
    msr pmintenset_el1, x0
    mov x0, #(1 << 6 | 1)           // LC, E
    msr pmcr_el0, x0
    isb
    count_from -2000000
    wait_for_one
    count_from -2000000
    wait_for_one
    mov x0, #1                      // 32 bits
    msr pmcr_el0, x0
    count_from 0xffff0000
    wait_for_one
    mov x0, #(1 << 6 | 1)
    msr pmcr_el0, x0

    mov x0, #CYCLE                  // not at EL1
    msr pmccfiltr_el0, x0
    count_from -500000
    msr daifclr, #2
    pause
    msr daifset, #2
    show filtered, x22
    adr x0, user
    msr elr_el1, x0
    mov x0, #0x3c0                  // IRQs wait
    msr spsr_el1, x0
    mov x0, #3
    msr cntkctl_el1, x0
    adr x20, 4f
    eret
4:  wait_for_one                    // since it was at EL0

    msr pmccfiltr_el0, xzr
    mov x0, #CYCLE
    msr pmintenclr_el1, x0          // it overflows, and nobody is told before that is wanted
    count_from -100
    msr daifclr, #2
    pause
    msr daifset, #2
    show disabled, x22
    mov x0, #CYCLE
    msr pmintenset_el1, x0
    wait_for_one
    mov x0, #CYCLE
    msr pmovsset_el0, x0            // by software
    isb
    wait_for_one
    print "done\n"
    power_off

user:
    pause
    cmp xzr, xzr
    svc #1

    .balign 128
irq_handler:
    mrs x23, S3_0_C12_C12_0         // ICC_IAR1_EL1
    show intid, x23
    mrs x24, pmovsclr_el0
    show overflowed, x24
    msr pmovsclr_el0, x24
    isb
    print "\n"
    msr S3_0_C12_C12_1, x23         // ICC_EOIR1_EL1
    add x22, x22, #1
    eret

    .balign 8
    library
