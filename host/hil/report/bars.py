"""Bars made of text: a share of a whole, and parts of a sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text

from hil.report.glyphs import EMPTY, FULL, GREY, PART_COLOURS, PARTS


def gauge(share: float, width: int, style: str) -> Text:
    """A bar filled to `share` of `width`. Anything above nothing shows at least one cell."""
    share = min(1.0, max(0.0, share))
    filled = min(width, max(round(share * width), 1 if share > 0 else 0))
    return Text(FULL * filled, style=style).append(EMPTY * (width - filled), style=GREY)


def cells(amounts: Sequence[float], width: int) -> list[int]:
    """`width` cells shared out in proportion to `amounts`; largest remainders get the odd cells."""
    total = sum(amounts)
    if total <= 0 or width <= 0:
        return [0] * len(amounts)
    exact = [amount / total * width for amount in amounts]
    whole = [int(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: exact[i] - whole[i], reverse=True)
    for i in by_remainder[: width - sum(whole)]:
        whole[i] += 1
    return whole


def fill_of(index: int, name: str) -> Text:
    """One cell as `stacked` draws part number `index`: its legend."""
    return Text(PARTS[index % len(PARTS)], style=PART_COLOURS.get(name, GREY))


def stacked(amounts: Mapping[str, float], width: int) -> Text:
    """The parts of a sum side by side, in their order; each has a fill and a colour of its own."""
    bar = Text()
    shares = cells(list(amounts.values()), width)
    for i, (name, count) in enumerate(zip(amounts, shares, strict=True)):
        bar.append(PARTS[i % len(PARTS)] * count, style=PART_COLOURS.get(name, GREY))
    return bar
