// A kernel of two CPUs for debuggers. Runs at 0x80000000, which is RAM at 0x40000000 once the MMU is on.
    .equ HIGH_MINUS_LOW, 0x40000000
    .equ UART, 0x09000000

    .macro mmu_on
    mov x0, #0xff                   // attribute 0: normal memory, 1: device
    msr mair_el1, x0
    ldr x0, =0x200803519            // 39 bits, 4K pages
    msr tcr_el1, x0
    adr x0, tables
    msr ttbr0_el1, x0
    isb
    mrs x0, sctlr_el1
    orr x0, x0, #1
    msr sctlr_el1, x0
    isb
    .endm

    .text
    .globl _start
_start:                             // the head of an arm64 Image
    b begin
    nop
    .quad 0, _end - _start, 0xa, 0, 0, 0
    .ascii "ARM\x64"
    .long 0

begin:
    adr x1, tables
    ldr x0, =0x405                  // device: the lowest GiB
    str x0, [x1]
    ldr x0, =0x40000701             // RAM at its own address
    str x0, [x1, #8]
    str x0, [x1, #16]               // and at ours
    mmu_on
    ldr x0, =high
    br x0

high:
    adr x0, stack_top
    mov sp, x0
    ldr x0, =0xc4000003             // CPU_ON
    mov x1, #1
    ldr x2, =(second - HIGH_MINUS_LOW)
    hvc #0
    adr x1, spins
1:  ldr x0, [x1]
    cbz x0, 1b
    mov x19, #5
2:  bl tick
    subs x19, x19, #1
    b.ne 2b
    bl finished
    ldr x0, =0x84000008             // SYSTEM_OFF
    hvc #0

    .type tick, %function
tick:
    adr x1, counter
    ldr x0, [x1]
    add x0, x0, #1
    str x0, [x1]
    ret

    .type finished, %function
finished:
    adr x0, message
    ldr x1, =UART
3:  ldrb w2, [x0], #1
    cbz w2, 4f
    str w2, [x1]
    b 3b
4:  ret

second:
    mmu_on
    ldr x0, =spin
    br x0
    .type spin, %function
spin:
    adr x1, spins
    ldr x0, [x1]
    add x0, x0, #1
    str x0, [x1]
    b spin

    .ltorg
    .balign 8
    .globl counter, spins
    .type counter, %object
    .size counter, 8
counter: .quad 0
    .type spins, %object
    .size spins, 8
spins: .quad 0
message: .asciz "ticked\n"
    .balign 4096
tables: .fill 512, 8, 0
    .fill 512, 8, 0
stack_top:
_end:
