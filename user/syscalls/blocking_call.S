// Host system calls for the guest, made so that no signal is lost between "none is waiting" and the kernel's entry:
// the signal handler moves a thread that is between the two labels to tiercel_blocking_interrupted.
        .text
        .globl  tiercel_blocking_call, tiercel_blocking_begin, tiercel_blocking_end, tiercel_blocking_interrupted
        .type   tiercel_blocking_call, @function
// s64 tiercel_blocking_call(const volatile u32* captured, long number, u64 a0, a1, a2, a3, a4, a5)
tiercel_blocking_call:
        mov     %rdi, %r11
        mov     %rsi, %rax
        mov     %rdx, %rdi
        mov     %rcx, %rsi
        mov     %r8, %rdx
        mov     %r9, %r10
        mov     8(%rsp), %r8
        mov     16(%rsp), %r9
tiercel_blocking_begin:
        cmpl    $0, (%r11)
        jne     tiercel_blocking_interrupted
        syscall
tiercel_blocking_end:
        ret
tiercel_blocking_interrupted:
        mov     $-512, %rax
        ret
        .size   tiercel_blocking_call, . - tiercel_blocking_call

// What host signal handlers return to: rt_sigreturn.
        .globl  tiercel_signal_restorer
        .type   tiercel_signal_restorer, @function
tiercel_signal_restorer:
        mov     $15, %eax
        syscall
        .size   tiercel_signal_restorer, . - tiercel_signal_restorer
        .section .note.GNU-stack, "", @progbits
