"""Loops whose cycle counts follow from measured pipeline rules: what the model must reproduce.

Each body is repeated inside a counted loop; `cycles` is what one body costs on silicon by the source
named. They check the implementation of the rules, not the rules.
"""

from __future__ import annotations

from dataclasses import dataclass

REPEATS = 16
"""Bodies in one pass through the loop: the loop's own cycle is spread over them."""


@dataclass(frozen=True)
class Kernel:
    """One micro-benchmark. Registers r1 to r3 hold addresses in DTCM, sp is 8-aligned."""

    name: str
    body: str
    cycles: float
    source: str


KERNELS = (
    Kernel("nop_pairs", "nop.w\n nop.w", 1, "J: two a cycle"),
    Kernel("add_independent", "add.w r4, r5, r6\n add.w r7, r5, r6", 1, "J"),
    Kernel("add_chain", "add.w r4, r4, r5\n add.w r4, r4, r5", 2, "J: late ALU, one a cycle"),
    Kernel("early_to_late", "add.w r4, r5, r6\n eor.w r7, r4, r6", 1, "J: early ALU to late ALU, 0 cycles"),
    Kernel("movw_movt", "movw r4, #1\n movt r4, #2", 1, "J: pairs with mutual dependency"),
    Kernel("shifted_operands", "add.w r4, r5, r6, ror #7\n add.w r7, r5, r6, ror #9", 2, "J: one shifter"),
    Kernel("shift_by_constant", "lsr.w r4, r5, #3\n lsr.w r6, r7, #3", 1, "J"),
    Kernel("bitfield", "uxtb.w r4, r5\n uxtb.w r6, r7", 2, "J: older slot only"),
    Kernel("bitfield_with_alu", "uxtab r4, r5, r6\n add.w r7, r5, r6", 1, "J"),
    Kernel("mac_accumulate", "smlad r4, r5, r6, r4\n smlad r4, r5, r6, r4", 2, "J: accumulator forwarding"),
    Kernel("mul_chain", "mul r4, r4, r5\n mul r4, r4, r5", 4, "J: result latency 2"),
    Kernel("mac_with_alu", "smlad r4, r5, r6, r4\n add.w r7, r5, r6", 1, "J"),
    Kernel("mac_with_bitfield", "uxtb.w r7, r5\n smlad r4, r5, r6, r4", 1, "J"),
    Kernel("mac_with_store", "smlad r4, r5, r6, r4\n str.w r5, [r1]", 2, "J: never together"),
    Kernel("load_to_late_alu", "ldr.w r4, [r1]\n nop.w\n eor.w r7, r4, r6\n nop.w", 2, "J: next cycle"),
    Kernel("load_to_mac", "ldr.w r4, [r1]\n nop.w\n smlad r7, r4, r6, r7\n nop.w", 3, "J: one more"),
    Kernel("loads_two_banks", "ldr.w r4, [r1]\n ldr.w r5, [r1, #4]", 1, "J"),
    Kernel("loads_one_bank", "ldr.w r4, [r1]\n ldr.w r5, [r1, #8]", 2, "J"),
    Kernel("load_unaligned", "ldr.w r4, [r1, #1]\n nop.w", 4, "J: + 3 as the older one"),
    Kernel("load_with_store", "ldr.w r4, [r1]\n str.w r5, [r2]", 1, "J"),
    Kernel("stores", "str.w r4, [r1]\n str.w r5, [r1, #4]", 2, "J: one a cycle"),
    Kernel("push_pop_8", "push {r4-r11}\n pop {r4-r11}", 8, "J: ceil(n / 2) each"),
    Kernel("load_double", "ldrd r4, r5, [r1]\n nop.w", 2, "J: alone"),
    Kernel("divide", "udiv r4, r5, r6", 8, "L: 7 to wait"),
    Kernel("fp_add_chain", "vadd.f32 s0, s0, s1", 3, "J"),
    Kernel("fp_multiply", "vmul.f32 s0, s1, s2\n vmul.f32 s3, s4, s5", 2, "J: one a cycle"),
    Kernel("fp_fma_chain", "vfma.f32 s0, s1, s2", 3, "J"),
    Kernel("fp_divide", "vdiv.f32 s0, s1, s2", 16, "J"),
)


def assembly() -> str:
    """All kernels as functions: r0 passes through a loop of REPEATS bodies."""
    return ".syntax unified\n.thumb\n.text\n" + "\n".join(map(_function, KERNELS))


def _function(kernel: Kernel) -> str:
    return f"""
.global {kernel.name}
.type {kernel.name}, %function
.balign 32
{kernel.name}:
 push {{r4-r11, lr}}
 sub sp, #4
 ldr r1, =0x20002000
 ldr r2, =0x20002104
 mov r5, #3
 mov r6, #5
.balign 32
1:
.rept {REPEATS}
 {kernel.body}
.endr
 subs.w r0, r0, #1
 bne.w 1b
 add sp, #4
 pop {{r4-r11, pc}}
.ltorg
"""
