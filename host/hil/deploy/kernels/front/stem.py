"""C of the stem: one row of depthwise and pointwise convolution, from int8 pixels to 16-bit rows.

The depthwise taps of one channel lie as many bytes apart as there are channels, so SMLAD cannot take two
at once: each is one SMLABB to SMLATT, a MAC a cycle. Two pixels at a time share the loads of weights.
Between the two convolutions nothing is stored. Costs 27 + 3 + 8 + 4 products a pixel at 3 channels in
and 4 out.
"""

from __future__ import annotations

from collections.abc import Iterator

from hil.deploy.kernels.front.match import Front

AT_ONCE = 2
"""Pixels."""


def stem_source(name: str, front: Front) -> str:
    """`<name>_stem_row(input, row)`: `row` is the ring's row, channel by channel."""
    advance = front.stem_depthwise.stride[1] * front.source.shape[2]
    group = next(size for size in (2, 4, 8) if size * advance % 4 == 0 or size == 8)
    body = []
    for pixel in range(0, group, AT_ONCE):
        body += ["{", *(f"    {line}" for line in _pixels(name, front, pixel)), "}"]
    lines = "\n".join(f"        {line}" for line in body)
    return f"""\
/* {front.stem_depthwise.name} and {front.stem_pointwise.name}: a row, {group} pixels a pass. */
static __attribute__((noinline)) void {name}_stem_row(const int8_t *input, int16_t *row)
{{
    for (int32_t x = 0; x < {front.width}; x += {group}) {{
{lines}
        input += {group * advance};
        row += {group};
    }}
}}

"""


def row_halves(front: Front) -> int:
    """Halves of one channel's row: its pixels and the padding left and right."""
    return front.width + 2


def _pixels(name: str, front: Front, first: int) -> Iterator[str]:
    """`AT_ONCE` pixels from number `first` of a pass."""
    inputs, outputs = front.source.shape[2], front.channels
    for at in range(AT_ONCE):
        for channel in range(inputs):
            yield f"int32_t sum{at}{channel} = {name}_tap_bias[{channel}];"
    for kernel_row in range(front.stem_depthwise.kernel[0]):
        yield from _kernel_row(name, front, first, kernel_row)
    for at in range(AT_ONCE):
        for channel in range(inputs):
            yield (
                f"sum{at}{channel} = hil_saturate_s8(hil_requantise(sum{at}{channel},"
                f" {name}_tap_multiplier[{channel}], {front.first.zero_point}));"
            )
    for at in range(AT_ONCE):
        for pair in range((inputs + 1) // 2):
            low, high = f"sum{at}{2 * pair}", f"sum{at}{2 * pair + 1}"
            value = f"hil_pair({low}, {high})" if 2 * pair + 1 < inputs else f"(uint32_t){low}"
            yield f"const uint32_t pair{at}{pair} = {value};"
    for channel in range(outputs):
        yield from _point(name, front, first, channel)


def _kernel_row(name: str, front: Front, first: int, kernel_row: int) -> Iterator[str]:
    """One row of taps of `AT_ONCE` pixels; the block gives its names back."""
    channels, kernel = front.source.shape[2], front.stem_depthwise.kernel
    taps, advance = kernel[1] * channels, front.stem_depthwise.stride[1] * channels
    base = kernel_row * front.source.shape[1] * channels
    yield "{"
    values = []
    for at in range(AT_ONCE):
        lines, places = _bytes(base, (first + at) * advance, taps, f"{at}")
        yield from (f"    {line}" for line in lines)
        values.append(places)
    for tap in range(taps):
        index = kernel_row * taps + tap
        for at in range(AT_ONCE):
            value, half = values[at][tap]
            total = f"sum{at}{tap % channels}"
            weight = f"{name}_taps[{index // 2}]"
            yield f"    {total} = hil_smla{half}{'bt'[index % 2]}({value}, {weight}, {total});"
    yield "}"


def _bytes(base: int, offset: int, count: int, tag: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Loads of `count` input bytes at `offset` of a pass: statements, and where each byte is.

    A word that is wanted whole becomes two words of halves; other bytes are loaded one by one, so that
    nothing beyond the window is read.
    """
    lines: list[str] = []
    places: list[tuple[str, str]] = []
    for at in range(offset, offset + count):
        start = at - at % 4
        if offset <= start and start + 4 <= offset + count:
            even, odd = f"even{tag}_{start}", f"odd{tag}_{start}"
            if at == start:
                lines.append(f"const uint32_t {even}_bytes = hil_word(input + {base + start});")
                lines.append(f"const uint32_t {even} = hil_sxtb16({even}_bytes);")
                lines.append(f"const uint32_t {odd} = hil_sxtb16_ror8({even}_bytes);")
            places.append(((even, odd)[at % 2], "bt"[at % 4 // 2]))
        else:
            lines.append(f"const uint32_t byte{tag}_{at} = (uint32_t)input[{base + at}];")
            places.append((f"byte{tag}_{at}", "b"))
    return lines, places


def _point(name: str, front: Front, first: int, channel: int) -> Iterator[str]:
    """Output `channel` of the pointwise convolution, of `AT_ONCE` pixels."""
    pairs = (front.source.shape[2] + 1) // 2
    for at in range(AT_ONCE):
        total = f"{name}_point_bias[{channel}]"
        for pair in range(pairs):
            total = f"hil_smlad(pair{at}{pair}, {name}_points[{channel * pairs + pair}], {total})"
        place = channel * row_halves(front) + first + at
        yield (
            f"row[{place}] = (int16_t)hil_saturate_s8(hil_requantise({total},"
            f" {name}_point_multiplier[{channel}], {front.stem.zero_point}));"
        )
