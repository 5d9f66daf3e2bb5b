"""Figures as short text. A figure that is not known is a dash, never a zero."""

from __future__ import annotations

from hil.report.glyphs import DASH, ELLIPSIS


def number(value: float | None, digits: int = 2) -> str:
    return DASH if value is None else f"{value:.{digits}f}"


def figure(value: float | None, significant: int = 4) -> str:
    """With so many significant digits, and never more than `significant - 1` decimals."""
    if value is None:
        return DASH
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 1
    return f"{value:.{max(0, significant - whole)}f}"


def percent(share: float | None, digits: int = 1) -> str:
    return DASH if share is None else f"{100 * share:.{digits}f} %"


def size(count: float | None) -> str:
    """Bytes, in KB (1024 bytes) from 10 KB on."""
    if count is None:
        return DASH
    return f"{count:.0f} B" if count < 10 * 1024 else f"{count / 1024:.0f} KB"


def duration(seconds: float | None) -> str:
    """Short spans with a tenth, long ones as h:mm:ss."""
    if seconds is None:
        return DASH
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def clock(seconds: float | None) -> str:
    """A countdown: m:ss."""
    if seconds is None:
        return DASH
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def cropped(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    if len(text) <= width:
        return text
    return text[: max(0, width - len(ellipsis))] + ellipsis if width > 0 else ""
