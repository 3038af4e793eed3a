// What the identification registers advertise is there, and what they do not is undefined: each line is a feature, what
// its field says and what one of its insns does. They must be equal.
    .include "bare.inc"
    .arch armv8.6-a+sve+memtag+sm4+sha3+rng+fp16+fp16fml+flagm+sb+predres+ssbs+profile+crypto+pauth

    .macro probe name, register, lsb, least, insn:vararg
    mrs x21, \register
    ubfx x21, x21, #\lsb, #4
    cmp x21, #\least
    cset x21, hs
    mov x22, #1
    adr x0, work
    \insn
    print "\name "
    bl verdict
    .endm

    // A bit of TCR_EL1 that exists with a feature only.
    .macro probe_tcr name, register, lsb, bit
    mrs x21, \register
    ubfx x21, x21, #\lsb, #4
    cmp x21, #0
    cset x21, ne
    mov x0, #1
    lsl x0, x0, #\bit
    msr tcr_el1, x0
    mrs x22, tcr_el1
    ubfx x22, x22, #\bit, #1
    msr tcr_el1, xzr
    print "\name "
    bl verdict
    .endm

    start
    ldr x0, =probed
    msr vbar_el1, x0
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    isb

    probe aes, id_aa64isar0_el1, 4, 1, aese v0.16b, v1.16b
    probe pmull, id_aa64isar0_el1, 4, 2, pmull v0.1q, v1.1d, v2.1d
    probe sha1, id_aa64isar0_el1, 8, 1, sha1h s0, s1
    probe sha256, id_aa64isar0_el1, 12, 1, sha256h q0, q1, v2.4s
    probe sha512, id_aa64isar0_el1, 12, 2, sha512h q0, q1, v2.2d
    probe crc32, id_aa64isar0_el1, 16, 1, crc32b w1, w2, w3
    probe lse, id_aa64isar0_el1, 20, 2, ldadd x1, x2, [x0]
    probe rdm, id_aa64isar0_el1, 28, 1, sqrdmlah v0.4s, v1.4s, v2.4s
    probe sha3, id_aa64isar0_el1, 32, 1, eor3 v0.16b, v1.16b, v2.16b, v3.16b
    probe sm3, id_aa64isar0_el1, 36, 1, sm3partw1 v0.4s, v1.4s, v2.4s
    probe sm4, id_aa64isar0_el1, 40, 1, sm4e v0.4s, v1.4s
    probe dotprod, id_aa64isar0_el1, 44, 1, sdot v0.4s, v1.16b, v2.16b
    probe fhm, id_aa64isar0_el1, 48, 1, fmlal v0.4s, v1.4h, v2.4h
    probe flagm, id_aa64isar0_el1, 52, 1, cfinv
    probe flagm2, id_aa64isar0_el1, 52, 2, axflag
    probe tlbios, id_aa64isar0_el1, 56, 1, sys #0, c8, c1, #1, x1
    probe tlbirange, id_aa64isar0_el1, 56, 2, sys #0, c8, c6, #1, x1
    probe rndr, id_aa64isar0_el1, 60, 1, mrs x1, s3_3_c2_c4_0

    probe dpb, id_aa64isar1_el1, 0, 1, dc cvap, x0
    probe dpb2, id_aa64isar1_el1, 0, 2, dc cvadp, x0
    probe pauth, id_aa64isar1_el1, 4, 1, paciza x1
    probe jscvt, id_aa64isar1_el1, 12, 1, fjcvtzs w1, d0
    probe fcma, id_aa64isar1_el1, 16, 1, fcadd v0.4s, v1.4s, v2.4s, #90
    probe lrcpc, id_aa64isar1_el1, 20, 1, ldapr x1, [x0]
    probe lrcpc2, id_aa64isar1_el1, 20, 2, ldapur x1, [x0]
    probe frintts, id_aa64isar1_el1, 32, 1, frint32x d0, d1
    probe sb, id_aa64isar1_el1, 36, 1, sb
    probe specres, id_aa64isar1_el1, 40, 1, cfp rctx, x1
    probe bf16, id_aa64isar1_el1, 44, 1, bfdot v0.4s, v1.8h, v2.8h
    probe i8mm, id_aa64isar1_el1, 52, 1, usdot v0.4s, v1.16b, v2.16b

    probe gic, id_aa64pfr0_el1, 24, 1, mrs x1, s3_0_c4_c6_0
    probe ras, id_aa64pfr0_el1, 28, 1, mrs x1, s3_0_c5_c3_0
    probe sve, id_aa64pfr0_el1, 32, 1, cntb x1
    probe dit, id_aa64pfr0_el1, 48, 1, mrs x1, dit
    probe ssbs, id_aa64pfr1_el1, 4, 2, mrs x1, ssbs
    probe mte, id_aa64pfr1_el1, 8, 1, irg x1, x2
    mrs x21, id_aa64pfr0_el1        // half precision: FP is 1, not 0 or 15
    ubfx x21, x21, #16, #4
    cmp x21, #1
    cset x21, eq
    mov x22, #1
    fadd h0, h1, h2
    print "fp16 "
    bl verdict

    probe pmu, id_aa64dfr0_el1, 8, 1, mrs x1, pmcr_el0
    probe pmccntr, id_aa64dfr0_el1, 8, 1, mrs x1, pmccntr_el0
    probe spe, id_aa64dfr0_el1, 32, 1, mrs x1, s3_0_c9_c10_7
    probe tracefilter, id_aa64dfr0_el1, 40, 1, mrs x1, s3_0_c1_c2_1

    probe lor, id_aa64mmfr1_el1, 16, 1, mrs x1, s3_0_c10_c4_7
    probe pan, id_aa64mmfr1_el1, 20, 1, msr pan, #0
    probe pan2, id_aa64mmfr1_el1, 20, 2, sys #0, c7, c9, #0, x0
    probe uao, id_aa64mmfr2_el1, 4, 1, msr uao, #0
    probe ccidx, id_aa64mmfr2_el1, 20, 1, mrs x1, s3_1_c0_c0_2
    probe_tcr hafdbs, id_aa64mmfr1_el1, 0, 39
    probe_tcr hpds, id_aa64mmfr1_el1, 12, 41
    probe_tcr e0pd, id_aa64mmfr2_el1, 60, 55

    print "done\n"
    power_off

// x21: the field says so; x22: the insn does something.
verdict:
    str x30, [sp, #-16]!
    cmp x21, #0
    b.eq 1f
    print "yes"
    b 2f
1:  print "no"
2:  cmp x21, x22
    b.eq 3f
    print " MISMATCH"
3:  print "\n"
    ldr x30, [sp], #16
    ret

    library
    no_irq_handler

    // x22: 0 for an undefined insn. What fails for another reason is there: atomics do on Device memory, which all is
    // while the MMU is off.
    .balign 2048
probed:
    .skip 512                       // from EL1 with its own stack pointer
    mrs x23, esr_el1
    lsr x23, x23, #26
    mov x24, #1
    cmp x23, #0
    csel x22, xzr, x24, eq
    mrs x23, elr_el1
    add x23, x23, #4
    msr elr_el1, x23
    eret
    .balign 2048

    .balign 64
work: .skip 64
