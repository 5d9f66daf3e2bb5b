"""What the context coder knows beforehand, made from payloads: the bundle's tensors under `codec.`.

A symbol's context is two symbols that both sides know already, its sources: the one above it, the one to
its left, or the one at the same place of an earlier channel. Channels of one feature map are mixtures of
the same few inputs, so another channel often says more than the neighbours do. Which two say most is
found out channel by channel. Contexts in which symbols are distributed alike share a row of
frequencies, so that all tables together take a few kilobytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.codec import frequencies
from hil.wire.protocol import CONTEXT_LEFT, CONTEXT_LEVELS

SOURCE_PAYLOADS = 64
"""Sources are chosen by so many payloads, evenly spread; more choose the same ones."""
_ROWS_MAX, _ROW_BYTES_MAX = 48, 8192

Symbols = NDArray[np.uint8]


@dataclass(frozen=True)
class ContextTables:
    """Frequencies sum to 2^RANGE_BITS, and none is 0."""

    sources: NDArray[np.uint16]
    """(channels, 2): a lower channel, the channel itself for the row above, or CONTEXT_LEFT (second only)."""
    zeros: NDArray[np.uint16]
    """(channels, 5): how often a row is all zero, by `row_context`; and how often four symbols are whose
    sources are."""
    contexts: NDArray[np.uint8]
    """(channels, CONTEXT_LEVELS²): the row of `rows` for first level · CONTEXT_LEVELS + second level."""
    rows: NDArray[np.uint16]
    """(rows, alphabet) frequencies."""


def levels(symbols: Symbols, alphabet: int) -> Symbols:
    """What a context sees of a symbol: all where there are CONTEXT_LEVELS; else 0, then equal steps."""
    shift = shift_of(alphabet)
    seen = np.minimum(symbols, (CONTEXT_LEVELS - 1) << shift).astype(np.uint16) + (1 << shift) - 1
    return (seen >> shift).astype(np.uint8)


def shift_of(alphabet: int) -> int:
    """Bits of a symbol that a context does not see."""
    return max(0, (alphabet - 1).bit_length() - (CONTEXT_LEVELS - 1).bit_length())


def source(planes: Symbols, channel: int, name: int) -> Symbols:
    """Planes (…, channels, height, width) → the source `name` of every symbol of `channel`; 0 off the map."""
    own = planes[..., channel, :, :]
    if name == CONTEXT_LEFT:
        return np.concatenate([np.zeros_like(own[..., :1]), own[..., :-1]], axis=-1)
    if name == channel:
        return np.concatenate([np.zeros_like(own[..., :1, :]), own[..., :-1, :]], axis=-2)
    return planes[..., name, :, :]


def row_source(sources: NDArray[np.uint16], channel: int) -> int:
    """Whose row, beside the one above, says whether a row is all zero: a source, or the channel itself."""
    return next((int(name) for name in sources[channel] if name < channel), channel)


def row_context(above: bool, other: bool) -> int:
    """From whether the row above has a symbol but 0, and whether the row of `row_source` has."""
    return above + 2 * other


def make(payloads: Symbols, alphabet: int) -> ContextTables:
    """From payloads (N, channels, height, width) below `alphabet`."""
    channels = payloads.shape[1]
    stride = -(-len(payloads) // SOURCE_PAYLOADS)
    sources = np.array([_best(payloads[::stride], c, alphabet) for c in range(channels)], np.uint16)
    zeros, counts = [], []
    for channel in range(channels):
        flags, coded = _count(payloads, channel, sources, alphabet)
        zeros.append(frequencies.normalise(flags)[:, 0])
        counts.append(coded)
    contexts, rows = _share(np.concatenate(counts), min(_ROWS_MAX, max(4, _ROW_BYTES_MAX // (4 * alphabet))))
    return ContextTables(
        sources, np.array(zeros, np.uint16), contexts.reshape(channels, -1), frequencies.normalise(rows)
    )


def zero_groups(rows: Symbols) -> NDArray[np.bool_]:
    """(…, width) → (…, groups): where four symbols in a row, the last ones fewer, are all 0."""
    missing = -rows.shape[-1] % 4
    padded = np.pad(rows, [(0, 0)] * (rows.ndim - 1) + [(0, missing)])
    live: NDArray[np.bool_] = padded.reshape(*rows.shape[:-1], -1, 4).any(axis=-1)
    return ~live


def quiet_groups(planes: Symbols, channel: int, sources: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Where all sources of four symbols are 0; of the left ones only the first, which lies outside them."""
    quiet = zero_groups(np.zeros_like(planes[..., channel, :, :]))
    for name in sources[channel].tolist():
        seen = source(planes, channel, name)
        quiet &= seen[..., ::4] == 0 if name == CONTEXT_LEFT else zero_groups(seen)
    return quiet


def context_of(planes: Symbols, channel: int, sources: NDArray[np.uint16], alphabet: int) -> NDArray[np.intp]:
    """The context of every symbol of `channel`."""
    first, second = (levels(source(planes, channel, name), alphabet) for name in sources[channel].tolist())
    return first.astype(np.intp) * CONTEXT_LEVELS + second


def _best(payloads: Symbols, channel: int, alphabet: int) -> tuple[int, int]:
    """The source that says most of `channel`, then the one that adds most to it."""
    own = payloads[:, channel]
    planes = [channel, *range(channel)]
    seen = {name: levels(source(payloads, channel, name), alphabet) for name in (*planes, CONTEXT_LEFT)}
    first = min(planes, key=lambda name: _bits(_histogram(seen[name], own, alphabet)))
    both = seen[first].astype(np.intp) * CONTEXT_LEVELS
    rest = [name for name in seen if name != first]
    return first, min(rest, key=lambda name: _bits(_histogram(both + seen[name], own, alphabet)))


def _count(
    payloads: Symbols, channel: int, sources: NDArray[np.uint16], alphabet: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of one channel: (5, 2) rows and quiet groups that are all zero or not; symbols (contexts, alphabet)."""
    own = payloads[:, channel]
    zero, quiet = zero_groups(own), quiet_groups(payloads, channel, sources)
    live: NDArray[np.bool_] = np.asarray(own.any(axis=-1))
    above = np.concatenate([np.zeros_like(live[:, :1]), live[:, :-1]], axis=1)
    beside = row_source(sources, channel)
    other = above if beside == channel else payloads[:, beside].any(axis=-1)
    flags = np.zeros((5, 2), np.int64)
    np.add.at(flags, (above + 2 * other, live.astype(np.intp)), 1)
    asked = live[..., None] & quiet
    flags[4] = np.bincount(~zero[asked], minlength=2)
    coded = (live[..., None] & ~(quiet & zero)).repeat(4, axis=-1)[..., : own.shape[-1]]
    context = context_of(payloads, channel, sources, alphabet)
    return flags, _histogram(context[coded], own[coded], alphabet, CONTEXT_LEVELS**2)


def _histogram(
    context: NDArray[np.integer], symbols: Symbols, alphabet: int, contexts: int = CONTEXT_LEVELS**2
) -> NDArray[np.int64]:
    pairs = context.reshape(-1).astype(np.intp) * alphabet + symbols.reshape(-1)
    return np.bincount(pairs, minlength=contexts * alphabet).reshape(contexts, alphabet)


def _bits(counts: NDArray[np.number]) -> float:
    """What symbols counted so are worth."""
    return float(_entropy(counts).sum())


def _entropy(counts: NDArray[np.number]) -> NDArray[np.float64]:
    """Bits of each row of counts, all of it together."""
    whole = np.maximum(1, counts.sum(axis=-1, keepdims=True))
    share = np.maximum(counts, 1e-300) / whole
    return np.asarray(-(counts * np.log2(share)).sum(axis=-1))


def _share(counts: NDArray[np.int64], most: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Counts (contexts, alphabet) → the row of every context, and the counts of at most `most` rows.

    Two rows at a time are merged, those that cost fewest bits together. A context that was never seen
    gets the row whose least likely symbol is the likeliest.
    """
    seen = np.flatnonzero(counts.any(axis=1))
    rows = counts[seen].astype(np.float64)
    row_of = np.arange(len(seen))
    alone = _entropy(rows)
    cost = np.array([_entropy(rows + row) - alone - own for row, own in zip(rows, alone, strict=True)])
    np.fill_diagonal(cost, np.inf)
    for _ in range(len(seen) - most):
        kept, gone = sorted(divmod(int(cost.argmin()), len(seen)))
        rows[kept] += rows[gone]
        row_of[row_of == gone] = kept
        alone[kept] = _entropy(rows[kept])
        again = _entropy(rows + rows[kept]) - alone - alone[kept]
        again[[kept, *np.flatnonzero(np.isinf(cost[kept]))]] = np.inf
        cost[kept], cost[:, kept] = again, again
        cost[gone], cost[:, gone] = np.inf, np.inf
    used, compact = np.unique(row_of, return_inverse=True)
    found = rows[used].astype(np.int64) if len(used) else np.zeros((1, counts.shape[1]), np.int64)
    even = (found / np.maximum(1, found.sum(axis=1, keepdims=True))).min(axis=1).argmax()
    contexts = np.full(len(counts), even, np.uint8)
    contexts[seen] = compact
    return contexts, found
