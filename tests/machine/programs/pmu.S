// The cycle counter: whether it counts, where filters let it, and who may read it.
    .include "bare.inc"

    // x21: what it counted during some insns.
    .macro counted
    mrs x21, pmccntr_el0
    mov x0, #2000
1:  subs x0, x0, #1
    b.ne 1b
    mrs x0, pmccntr_el0
    sub x21, x0, x21
    .endm

    // yes if x21 is not zero.
    .macro verdict name
    print "\name "
    cbz x21, 2f
    print "yes\n"
    b 3f
2:  print "no\n"
3:
    .endm

    start
    mrs x21, pmceid0_el0
    and x21, x21, #(1 << 17)
    verdict "CPU_CYCLES"
    counted
    verdict "counts after reset"
    mov x0, #(1 << 6 | 1)
    msr pmcr_el0, x0
    isb
    counted
    verdict "counts without its enable"
    mov x0, #(1 << 31)
    msr pmcntenset_el0, x0
    isb
    counted
    verdict "counts"
    mrs x21, pmcntenclr_el0
    show enabled, x21
    mov x0, #(1 << 31)
    msr pmccfiltr_el0, x0
    isb
    counted
    verdict "counts at EL1 though filtered"
    mov x0, #(1 << 30)
    msr pmccfiltr_el0, x0
    isb
    counted
    verdict "counts at EL1 with EL0 filtered"
    mov x0, #31
    msr pmselr_el0, x0
    isb
    mrs x21, pmxevtyper_el0
    show filter, x21
    print "\n"

    mrs x21, pmovsclr_el0
    verdict "overflowed"
    mov x0, #-1
    msr pmccntr_el0, x0
    isb
    counted
    mrs x21, pmovsclr_el0
    verdict "overflowed behind 64 bits"
    msr pmovsclr_el0, x21
    mrs x21, pmovsset_el0
    verdict "overflowed after it was cleared"
    mov x0, #1                      // without LC
    msr pmcr_el0, x0
    mov w0, #-1
    msr pmccntr_el0, x0
    isb
    counted
    mrs x21, pmovsclr_el0
    verdict "overflowed behind 32 bits"
    mov x0, #0
    msr pmcr_el0, x0
    isb
    counted
    verdict "counts when it is off"
    mov x0, #4
    msr pmcr_el0, x0
    isb
    mrs x21, pmccntr_el0
    verdict "holds something after it was cleared"

    print "EL0 "
    adr x0, user
    msr elr_el1, x0
    mov x0, #0x3c0
    msr spsr_el1, x0
    adr x20, 4f
    eret
4:  mov x0, #4                      // CR
    msr pmuserenr_el0, x0
    adr x0, user
    msr elr_el1, x0
    mov x0, #0x3c0
    msr spsr_el1, x0
    adr x20, 5f
    eret
5:  power_off

user:
    mrs x5, pmccntr_el0
    svc #1

    library
    no_irq_handler
