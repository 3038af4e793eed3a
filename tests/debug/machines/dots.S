// A kernel that prints dots until it is ended.
    .equ UART, 0x09000000
    .text
    .globl _start
_start:                             // the head of an arm64 Image
    b 1f
    nop
    .quad 0, _end - _start, 0xa, 0, 0, 0
    .ascii "ARM\x64"
    .long 0
1:  ldr x1, =UART
    mov w2, #'.'
2:  str w2, [x1]
    mov x0, #0x100000
3:  subs x0, x0, #1
    b.ne 3b
    b 2b
    .ltorg
_end:
