// Accesses to guest memory that survive a host fault. Engine::handle_host_fault looks at the ranges below: a fault inside
// [guarded_copy_begin, guarded_copy_end) continues at guarded_copy_fault, one inside [guarded_begin, guarded_end) at
// guarded_fault. No function here moves the stack pointer before it accesses memory.

        .text
        .globl  tiercel_guarded_copy
        .type   tiercel_guarded_copy, @function
// size_t tiercel_guarded_copy(void* to, const void* from, size_t size): bytes not copied
tiercel_guarded_copy:
        movq    %rdx, %rcx
        .globl  tiercel_guarded_copy_begin
tiercel_guarded_copy_begin:
        rep     movsb
        .globl  tiercel_guarded_copy_end
tiercel_guarded_copy_end:
        .globl  tiercel_guarded_copy_fault
tiercel_guarded_copy_fault:
        movq    %rcx, %rax
        ret
        .size   tiercel_guarded_copy, . - tiercel_guarded_copy

        .globl  tiercel_guarded_begin
tiercel_guarded_begin:

// bool tiercel_guarded_loadN(u64 address, U128* out)
        .globl  tiercel_guarded_load1, tiercel_guarded_load2, tiercel_guarded_load4, tiercel_guarded_load8
        .globl  tiercel_guarded_load16
tiercel_guarded_load1:
        movzbl  (%rdi), %eax
        jmp     .Lstore_result
tiercel_guarded_load2:
        movzwl  (%rdi), %eax
        jmp     .Lstore_result
tiercel_guarded_load4:
        movl    (%rdi), %eax
        jmp     .Lstore_result
tiercel_guarded_load8:
        movq    (%rdi), %rax
.Lstore_result:
        movq    %rax, (%rsi)
        movq    $0, 8(%rsi)
        movl    $1, %eax
        ret
tiercel_guarded_load16:
        movdqu  (%rdi), %xmm0
        movdqu  %xmm0, (%rsi)
        movl    $1, %eax
        ret

// bool tiercel_guarded_storeN(u64 address, const U128* value)
        .globl  tiercel_guarded_store1, tiercel_guarded_store2, tiercel_guarded_store4, tiercel_guarded_store8
        .globl  tiercel_guarded_store16
tiercel_guarded_store1:
        movq    (%rsi), %rax
        movb    %al, (%rdi)
        movl    $1, %eax
        ret
tiercel_guarded_store2:
        movq    (%rsi), %rax
        movw    %ax, (%rdi)
        movl    $1, %eax
        ret
tiercel_guarded_store4:
        movq    (%rsi), %rax
        movl    %eax, (%rdi)
        movl    $1, %eax
        ret
tiercel_guarded_store8:
        movq    (%rsi), %rax
        movq    %rax, (%rdi)
        movl    $1, %eax
        ret
tiercel_guarded_store16:
        movdqu  (%rsi), %xmm0
        movdqu  %xmm0, (%rdi)
        movl    $1, %eax
        ret

// bool tiercel_guarded_casN(u64 address, U128* expected, const U128* desired)
        .globl  tiercel_guarded_cas1, tiercel_guarded_cas2, tiercel_guarded_cas4, tiercel_guarded_cas8
tiercel_guarded_cas1:
        movq    (%rsi), %rax
        movq    (%rdx), %rcx
        lock cmpxchgb %cl, (%rdi)
        movzbl  %al, %eax
        jmp     .Lstore_result
tiercel_guarded_cas2:
        movq    (%rsi), %rax
        movq    (%rdx), %rcx
        lock cmpxchgw %cx, (%rdi)
        movzwl  %ax, %eax
        jmp     .Lstore_result
tiercel_guarded_cas4:
        movq    (%rsi), %rax
        movq    (%rdx), %rcx
        lock cmpxchgl %ecx, (%rdi)
        movl    %eax, %eax
        jmp     .Lstore_result
tiercel_guarded_cas8:
        movq    (%rsi), %rax
        movq    (%rdx), %rcx
        lock cmpxchgq %rcx, (%rdi)
        jmp     .Lstore_result

        .globl  tiercel_guarded_fault
tiercel_guarded_fault:
        xorl    %eax, %eax
        ret
        .globl  tiercel_guarded_end
tiercel_guarded_end:

// cmpxchg16b needs rbx, kept in r9 meanwhile.
        .globl  tiercel_guarded_cas16
tiercel_guarded_cas16:
        movq    %rbx, %r9
        movq    %rdx, %r8
        movq    (%rsi), %rax
        movq    8(%rsi), %rdx
        movq    (%r8), %rbx
        movq    8(%r8), %rcx
        .globl  tiercel_guarded_cas16_begin
tiercel_guarded_cas16_begin:
        lock cmpxchg16b (%rdi)
        .globl  tiercel_guarded_cas16_end
tiercel_guarded_cas16_end:
        movq    %rax, (%rsi)
        movq    %rdx, 8(%rsi)
        movq    %r9, %rbx
        movl    $1, %eax
        ret
        .globl  tiercel_guarded_cas16_fault
tiercel_guarded_cas16_fault:
        movq    %r9, %rbx
        xorl    %eax, %eax
        ret

        .section .note.GNU-stack, "", @progbits
