// Every synchronous exception that needs no MMU, from EL1 and from EL0.
    .include "bare.inc"
    start
    mov x20, #0
    mov x21, #0
    svc #0x123
    brk #0x456
    udf #7
    fmov d0, xzr                    // CPACR_EL1.FPEN is 0
    msr s3_0_c4_c2_2, x0            // CurrentEL is read-only: undefined
    ldr x0, =0x40000001
    ldr x1, [x0]                    // MMU off: device memory, misaligned
    ldr x0, =0x0b000000
    ldr x1, [x0]                    // nothing there: external abort
    str x1, [x0]
    ldr x20, =back1
    ldr x0, =0x40080002
    br x0                           // misaligned pc
back1:
    // An illegal return: EL2 does not exist.
    ldr x20, =back2
    mov x0, #0x3c9
    msr spsr_el1, x0
    adr x0, back1
    msr elr_el1, x0
    eret
back2:
    msr spsel, #0
    ldr x0, =EL0_STACK
    mov sp, x0
    svc #1                          // the vector of SP_EL0
    msr spsel, #1
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    isb
    fmov d0, xzr                    // now it is allowed

    // EL0, with WFI trapped
    mrs x0, sctlr_el1
    bic x0, x0, #(1 << 16)
    msr sctlr_el1, x0
    mov x0, #0
    msr spsr_el1, x0
    adr x0, user
    msr elr_el1, x0
    eret
user:
    svc #0x42
    mrs x0, sctlr_el1
    mrs x0, ctr_el0
    mrs x0, cntvct_el0
    msr daifset, #2
    hvc #0
    wfi
    ic ivau, x0
    mrs x0, dczid_el0               // allowed
    brk #9
    ldr x20, =end
    svc #0x43
end:
    mrs x0, currentel
    show currentel, x0
    mrs x0, daif
    show daif, x0
    print "\n"
    power_off
    no_irq_handler
    library
