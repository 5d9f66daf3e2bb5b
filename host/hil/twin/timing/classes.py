"""Which instructions belong to which class of the pipeline (J, L), by Capstone's names."""

from __future__ import annotations

from capstone import arm


def _ids(names: str) -> frozenset[int]:
    return frozenset(getattr(arm, f"ARM_INS_{name}") for name in names.upper().split())


BRANCHES = _ids("b bl bx blx cbz cbnz")
EARLY_ALUS = _ids("add sub rsb mov movw addw subw adr nop it")
SHIFTS = _ids("lsl lsr asr ror")
COMPARES = _ids("cmp cmn tst teq")
WITH_CARRY = _ids("adc sbc rrx")
BITS_EARLY = _ids("sbfx ubfx rbit rev rev16 revsh")
BITS = _ids(
    "bfi bfc pkhbt pkhtb clz sel sxtb sxth uxtb uxth sxtb16 uxtb16 sxtab sxtah uxtab uxtah sxtab16 uxtab16 "
    "sadd8 sadd16 ssub8 ssub16 uadd8 uadd16 usub8 usub16 shadd8 shadd16 shsub8 shsub16 uhadd8 uhadd16 uhsub8 "
    "uhsub16 sasx ssax uasx usax usad8 usada8"
)
SATURATES = _ids(
    "ssat usat ssat16 usat16 qadd qsub qdadd qdsub qadd8 qadd16 qsub8 qsub16 uqadd8 uqadd16 uqsub8 uqsub16 "
    "qasx qsax uqasx uqsax"
)
BITS_WITH_SHIFTER = _ids(
    "bfi bfc sbfx ubfx rbit rev rev16 revsh pkhbt pkhtb "
    "sxtb sxth uxtb uxth sxtb16 uxtb16 sxtab sxtah uxtab uxtah sxtab16 uxtab16"
)
"""These take their last source through the early shifter, even when they do not shift it (J)."""
MACS = _ids(
    "mul mla mls smlabb smlabt smlatb smlatt smlawb smlawt smulbb smulbt smultb smultt smulwb smulwt "
    "smlad smladx smlsd smlsdx smuad smuadx smusd smusdx smmul smmulr smmla smmlar smmls smmlsr"
)
LONG_MACS = _ids(
    "smull umull smlal umlal umaal smlalbb smlalbt smlaltb smlaltt smlald smlaldx smlsld smlsldx"
)
DIVIDES = _ids("sdiv udiv")
SUBWORD_LOADS = _ids("ldrb ldrh ldrsb ldrsh ldrbt ldrht ldrsbt ldrsht ldrexb ldrexh")
LOADS = _ids("ldr ldrt ldrex ldrd vldr") | SUBWORD_LOADS
STORES = _ids("str strb strh strt strbt strht strd vstr strex strexb strexh")
MULTIPLES_STORE = _ids("stm stmdb push vstmia vstmdb vpush")
MULTIPLES = _ids("ldm ldmdb pop vldmia vldmdb vpop") | MULTIPLES_STORE
FP_MACS = _ids("vfma vfms vfnma vfnms vmla vmls vnmla vnmls")
FP_COMPUTES = _ids("vadd vsub vmul vnmul vcvt vabs vneg vcmp vcmpe vdiv vsqrt")
SYSTEMS = _ids("mrs msr cps dsb isb svc bkpt udf wfi wfe sev yield clrex")
