"""Registers of a DMA stream (RM0385 8.5.5 to 8.5.10), and what their fields mean."""

from __future__ import annotations

DMA_SXCR, DMA_SXNDTR, DMA_SXPAR, DMA_SXM0AR, DMA_SXM1AR, DMA_SXFCR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14

DMA_SXCR_EN = 1 << 0
DMA_SXCR_DMEIE = 1 << 1
DMA_SXCR_TEIE = 1 << 2
DMA_SXCR_HTIE = 1 << 3
DMA_SXCR_TCIE = 1 << 4
DMA_SXCR_PFCTRL = 1 << 5
DMA_SXCR_DIR_SHIFT = 6
DMA_SXCR_CIRC = 1 << 8
DMA_SXCR_PINC = 1 << 9
DMA_SXCR_MINC = 1 << 10
DMA_SXCR_PSIZE_SHIFT = 11
DMA_SXCR_MSIZE_SHIFT = 13
DMA_SXCR_PINCOS = 1 << 15
DMA_SXCR_PL_SHIFT = 16
DMA_SXCR_DBM = 1 << 18
DMA_SXCR_CT = 1 << 19
DMA_SXCR_PBURST_SHIFT = 21
DMA_SXCR_MBURST_SHIFT = 23
DMA_SXCR_CHSEL_SHIFT = 25
DMA_SXCR_WRITABLE = 0x0FEF_FFFF
DMA_SXFCR_FTH = 3
DMA_SXFCR_DMDIS = 1 << 2
DMA_SXFCR_FS_SHIFT = 3
DMA_SXFCR_FEIE = 1 << 7
DMA_SXFCR_RESET = 0x1

FLAG_FE, FLAG_DME, FLAG_TE, FLAG_HT, FLAG_TC = 1 << 0, 1 << 2, 1 << 3, 1 << 4, 1 << 5

PERIPHERAL_TO_MEMORY, MEMORY_TO_PERIPHERAL, MEMORY_TO_MEMORY = 0, 1, 2
FIFO_BYTES = 16
_BEATS = (1, 4, 8, 16)


def memory_item(control: int) -> int:
    """MSIZE in bytes."""
    return 1 << min(control >> DMA_SXCR_MSIZE_SHIFT & 3, 2)


def peripheral_item(control: int) -> int:
    """PSIZE in bytes."""
    return 1 << min(control >> DMA_SXCR_PSIZE_SHIFT & 3, 2)


def peripheral_beats(control: int) -> int:
    """Accesses that one request of the peripheral makes: PBURST."""
    return _BEATS[control >> DMA_SXCR_PBURST_SHIFT & 3]


def peripheral_step(control: int) -> int:
    """How far PAR moves behind an access: PINC, with PINCOS always four bytes."""
    if not control & DMA_SXCR_PINC:
        return 0
    return 4 if control & DMA_SXCR_PINCOS else peripheral_item(control)


def threshold_bytes(fifo_control: int) -> int:
    """FTH: a quarter, a half, three quarters or the whole of the FIFO."""
    return 4 * ((fifo_control & DMA_SXFCR_FTH) + 1)


def burst_fits(control: int, fifo_control: int) -> bool:
    """Whether the threshold is a whole number of memory bursts (RM0385 table 28)."""
    beats = _BEATS[control >> DMA_SXCR_MBURST_SHIFT & 3]
    return beats == 1 or threshold_bytes(fifo_control) % (beats * memory_item(control)) == 0


def fifo_status(level: int) -> int:
    """FS of DMA_SxFCR for `level` bytes in the FIFO."""
    if level == 0:
        return 4
    return 5 if level >= FIFO_BYTES else level // 4


def settle(control: int, fifo_control: int) -> tuple[int, int]:
    """What the hardware makes of CR and FCR when the stream is switched on (RM0385 8.5.5, 8.5.10)."""
    if control >> DMA_SXCR_DIR_SHIFT & 3 == MEMORY_TO_MEMORY:
        control &= ~(DMA_SXCR_CIRC | DMA_SXCR_DBM | DMA_SXCR_PFCTRL)
        fifo_control |= DMA_SXFCR_DMDIS
    if not fifo_control & DMA_SXFCR_DMDIS:  # direct mode: one size, no bursts
        size = control >> DMA_SXCR_PSIZE_SHIFT & 3
        control &= ~(3 << DMA_SXCR_MSIZE_SHIFT | 0xF << DMA_SXCR_PBURST_SHIFT | DMA_SXCR_PINCOS)
        control |= size << DMA_SXCR_MSIZE_SHIFT
    if control >> DMA_SXCR_PBURST_SHIFT & 3:
        control &= ~DMA_SXCR_PINCOS
    if control & DMA_SXCR_PFCTRL:
        control &= ~DMA_SXCR_CIRC
    if control & DMA_SXCR_DBM:
        control |= DMA_SXCR_CIRC
    return control, fifo_control
