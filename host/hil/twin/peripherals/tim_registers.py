"""Registers of the timers, and which of them each timer has (RM0385 chapters 22 to 25)."""

from __future__ import annotations

from dataclasses import dataclass, field

TIM_CR1, TIM_CR2, TIM_SMCR, TIM_DIER, TIM_SR, TIM_EGR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
TIM_CCMR1, TIM_CCMR2, TIM_CCER = 0x18, 0x1C, 0x20
TIM_CNT, TIM_PSC, TIM_ARR, TIM_RCR = 0x24, 0x28, 0x2C, 0x30
TIM_CCR1, TIM_CCR4, TIM_BDTR, TIM_DCR, TIM_DMAR = 0x34, 0x40, 0x44, 0x48, 0x4C
TIM_OR, TIM_CCMR3, TIM_CCR5, TIM_CCR6 = 0x50, 0x54, 0x58, 0x5C
CCR_OFFSETS = (0x34, 0x38, 0x3C, 0x40, TIM_CCR5, TIM_CCR6)

TIM_CR1_CEN, TIM_CR1_UDIS, TIM_CR1_URS, TIM_CR1_OPM = 1 << 0, 1 << 1, 1 << 2, 1 << 3
TIM_CR1_DIR, TIM_CR1_CMS_SHIFT, TIM_CR1_ARPE, TIM_CR1_UIFREMAP = 1 << 4, 5, 1 << 7, 1 << 11
TIM_CR2_CCDS, TIM_CR2_MMS_SHIFT, TIM_CR2_TI1S = 1 << 3, 4, 1 << 7
TIM_SMCR_TS_SHIFT, TIM_SMCR_ETPS_SHIFT = 4, 12
TIM_SMCR_ECE, TIM_SMCR_ETP, TIM_SMCR_SMS_3 = 1 << 14, 1 << 15, 1 << 16

TIM_SR_UIF, TIM_SR_CC1IF, TIM_SR_COMIF, TIM_SR_TIF = 1 << 0, 1 << 1, 1 << 5, 1 << 6
TIM_SR_BIF, TIM_SR_B2IF, TIM_SR_CC1OF = 1 << 7, 1 << 8, 1 << 9
TIM_SR_CC5IF = 1 << 16
TIM_SR_CCXIF = 0x1E
TIM_DIER_UDE, TIM_DIER_CC1DE, TIM_DIER_COMDE, TIM_DIER_TDE = 1 << 8, 1 << 9, 1 << 13, 1 << 14
TIM_DIER_DMA = 0x7F00
TIM_EGR_UG, TIM_EGR_CC1G, TIM_EGR_COMG, TIM_EGR_TG = 1 << 0, 1 << 1, 1 << 5, 1 << 6
TIM_EGR_BG, TIM_EGR_B2G = 1 << 7, 1 << 8
TIM_BDTR_LOCK_SHIFT, TIM_BDTR_BKE, TIM_BDTR_BKP = 8, 1 << 12, 1 << 13
TIM_BDTR_AOE, TIM_BDTR_MOE = 1 << 14, 1 << 15
TIM_BDTR_BK2E, TIM_BDTR_BK2P = 1 << 24, 1 << 25

_ALL = 0xFFFF_FFFF
_CCMR = 0x0101_FFFF
_ADVANCED = {
    TIM_CR1: 0xBFF, TIM_CR2: 0x00F5_7FFD, TIM_SMCR: 0x1_FFFF, TIM_DIER: 0x7FFF, TIM_CCMR1: _CCMR,
    TIM_CCMR2: _CCMR, TIM_CCER: 0x0033_BFFF, TIM_PSC: 0xFFFF, TIM_ARR: _ALL, TIM_RCR: 0xFFFF,
    TIM_BDTR: 0x03FF_FFFF, TIM_DCR: 0x1F1F, TIM_CCMR3: 0x0101_FCFC,
}  # fmt: skip
_GENERAL = {
    TIM_CR1: 0xBFF, TIM_CR2: 0xF8, TIM_SMCR: 0x1_FFFF, TIM_DIER: 0x5F5F, TIM_CCMR1: _CCMR,
    TIM_CCMR2: _CCMR, TIM_CCER: 0xBBBB, TIM_PSC: 0xFFFF, TIM_ARR: _ALL, TIM_DCR: 0x1F1F,
}  # fmt: skip
_TWO_CHANNELS = {
    TIM_CR1: 0xB8F, TIM_SMCR: 0xF7, TIM_DIER: 0x47, TIM_CCMR1: _CCMR, TIM_CCER: 0xBB, TIM_PSC: 0xFFFF,
    TIM_ARR: _ALL,
}  # fmt: skip
_ONE_CHANNEL = {
    TIM_CR1: 0xB8F, TIM_DIER: 0x3, TIM_CCMR1: 0x1_00FF, TIM_CCER: 0xB, TIM_PSC: 0xFFFF, TIM_ARR: _ALL,
}  # fmt: skip
_BASIC = {TIM_CR1: 0x88F, TIM_CR2: 0x70, TIM_DIER: 0x101, TIM_PSC: 0xFFFF, TIM_ARR: _ALL}
"""Bits that can be written; a register that is not listed does not exist."""


@dataclass(frozen=True)
class TimerModel:
    """One timer: where it is, what it has, and what it is wired to."""

    name: str
    base: int
    masks: dict[int, int]
    channels: int
    """Those with CCxIF in SR[4:1]; the advanced timers' channels 5 and 6 come on top."""
    apb: int
    bit: int
    """Its bit in RCC_APBxENR and RCC_APBxRSTR."""
    freeze_bit: int
    """Its bit in DBGMCU_APBx_FZ."""
    lines: tuple[tuple[int, int], ...]
    """Flags of SR and the interrupt they raise."""
    triggers: tuple[str, ...] = ()
    """The timers behind ITR0 to ITR3 (RM0385 tables 146, 149 and 151)."""
    width: int = 16
    options: int = 0
    """Writable bits of TIMx_OR."""
    mask: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "mask", (1 << self.width) - 1)

    @property
    def advanced(self) -> bool:
        """TIM1 and TIM8: six channels, repetition counter, break."""
        return TIM_BDTR in self.masks


def _four(brk: int, update: int, trigger: int, compare: int) -> tuple[tuple[int, int], ...]:
    flags = (TIM_SR_BIF | TIM_SR_B2IF, TIM_SR_UIF, TIM_SR_COMIF | TIM_SR_TIF, TIM_SR_CCXIF)
    return tuple(zip(flags, (brk, update, trigger, compare), strict=True))


def _one(irq: int) -> tuple[tuple[int, int], ...]:
    return ((0xFF, irq),)


TIMERS = (
    TimerModel("TIM1", 0x4001_0000, _ADVANCED, 4, 2, 0, 0, _four(24, 25, 26, 27),
               ("TIM5", "TIM2", "TIM3", "TIM4")),
    TimerModel("TIM2", 0x4000_0000, _GENERAL, 4, 1, 0, 0, _one(28), ("TIM1", "TIM8", "TIM3", "TIM4"),
               32, 0xC00),
    TimerModel("TIM3", 0x4000_0400, _GENERAL, 4, 1, 1, 1, _one(29), ("TIM1", "TIM2", "TIM5", "TIM4")),
    TimerModel("TIM4", 0x4000_0800, _GENERAL, 4, 1, 2, 2, _one(30), ("TIM1", "TIM2", "TIM3", "TIM8")),
    TimerModel("TIM5", 0x4000_0C00, _GENERAL, 4, 1, 3, 3, _one(50), ("TIM2", "TIM3", "TIM4", "TIM8"),
               32, 0xC0),
    TimerModel("TIM6", 0x4000_1000, _BASIC, 0, 1, 4, 4, _one(54)),
    TimerModel("TIM7", 0x4000_1400, _BASIC, 0, 1, 5, 5, _one(55)),
    TimerModel("TIM8", 0x4001_0400, _ADVANCED, 4, 2, 1, 1, _four(43, 44, 45, 46),
               ("TIM1", "TIM2", "TIM4", "TIM5")),
    TimerModel("TIM9", 0x4001_4000, _TWO_CHANNELS, 2, 2, 16, 16, _one(24),
               ("TIM2", "TIM3", "TIM10", "TIM11")),
    TimerModel("TIM10", 0x4001_4400, _ONE_CHANNEL, 1, 2, 17, 17, _one(25)),
    TimerModel("TIM11", 0x4001_4800, _ONE_CHANNEL, 1, 2, 18, 18, _one(26), (), 16, 0x3),
    TimerModel("TIM12", 0x4000_1800, _TWO_CHANNELS, 2, 1, 6, 6, _one(43),
               ("TIM4", "TIM5", "TIM13", "TIM14")),
    TimerModel("TIM13", 0x4000_1C00, _ONE_CHANNEL, 1, 1, 7, 7, _one(44)),
    TimerModel("TIM14", 0x4000_2000, _ONE_CHANNEL, 1, 1, 8, 8, _one(45)),
)  # fmt: skip
