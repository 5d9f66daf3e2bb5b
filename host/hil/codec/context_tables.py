"""What the context coder knows beforehand, made from payloads: the bundle's tensors under `codec.`.

A symbol's context is two symbols that both sides know already, its sources: the one above it, the one to
its left, or the one at the same place of an earlier channel. Channels of one feature map are mixtures of
the same few inputs, so another channel often says more than the neighbours do. Which two say most is
found out channel by channel. Of a source four levels are told apart: 0, 1, 2 and more, or wider ones,
whichever make shorter payloads. Channels whose symbols follow their contexts alike share a table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.codec import frequencies
from hil.wire.protocol import CONTEXT_LEFT, CONTEXT_LEVELS

SOURCE_PAYLOADS = 64
"""Sources are chosen by so many payloads, evenly spread; more choose the same ones."""
GOOD_ALONE = 4
"""Sources tried with every other one."""
SHARED_COST = 0.001
"""Share of a payload that may be lost by one table less."""
TABLES_MAX = 10
"""Of 512 bytes each in an alphabet of 8."""

Symbols = NDArray[np.uint8]


@dataclass(frozen=True)
class ContextTables:
    """Frequencies sum to 2^RANGE_BITS, and none is 0."""

    sources: NDArray[np.uint16]
    """(channels, 2): a lower channel, the channel itself for the row above, or CONTEXT_LEFT (second only)."""
    zeros: NDArray[np.uint16]
    """(channels, 5): how often a row is all zero, by `row_context`; and how often four symbols are in whose
    contexts both levels are 0."""
    shift: NDArray[np.uint8]
    """(1,): a symbol's level is min(symbol >> shift, CONTEXT_LEVELS - 1)."""
    table_of: NDArray[np.uint8]
    """(channels,): which of `contexts` a channel has."""
    contexts: NDArray[np.uint16]
    """(tables, CONTEXT_LEVELS², alphabet) frequencies, by first level · CONTEXT_LEVELS + second level."""


def levels(symbols: Symbols, shift: int) -> Symbols:
    """What a context sees of symbols."""
    return np.asarray(np.minimum(symbols >> shift, CONTEXT_LEVELS - 1))


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
    """From payloads (N, channels, height, width) below `alphabet`, 2 to CONTEXT_ALPHABET_MAX."""
    few = payloads[:: -(-len(payloads) // SOURCE_PAYLOADS)]
    found = [_sources(few, alphabet, shift) for shift in range(max(1, (alphabet - 1).bit_length() - 1))]
    shift = min(range(len(found)), key=lambda one: found[one][0])
    sources, channels = found[shift][1], range(payloads.shape[1])
    counted = [_count(payloads, channel, sources, alphabet, shift) for channel in channels]
    table_of, contexts = _share(np.stack([coded for _, coded in counted]))
    zeros = np.stack([frequencies.normalise(flags)[:, 0] for flags, _ in counted])
    rows = frequencies.normalise(contexts.reshape(-1, alphabet)).reshape(contexts.shape)
    return ContextTables(sources, zeros, np.array([shift], np.uint8), table_of, rows)


def zero_groups(rows: Symbols) -> NDArray[np.bool_]:
    """(…, width) → (…, groups): where four symbols in a row, the last ones fewer, are all 0."""
    missing = -rows.shape[-1] % 4
    padded = np.pad(rows, [(0, 0)] * (rows.ndim - 1) + [(0, missing)])
    return np.asarray(padded.reshape(*rows.shape[:-1], -1, 4).max(axis=-1) == 0)


def quiet_groups(planes: Symbols, channel: int, sources: NDArray[np.uint16], shift: int) -> NDArray[np.bool_]:
    """Where all contexts of four symbols are 0, but for levels to the left that lie within the four."""
    first, second = sources[channel].tolist()
    beside = levels(source(planes, channel, second), shift)
    quiet = np.asarray(beside[..., ::4] == 0) if second == CONTEXT_LEFT else zero_groups(beside)
    return quiet & zero_groups(levels(source(planes, channel, first), shift))


def context_of(planes: Symbols, channel: int, sources: NDArray[np.uint16], shift: int) -> NDArray[np.intp]:
    """The context of every symbol of `channel`."""
    first, second = (levels(source(planes, channel, name), shift) for name in sources[channel].tolist())
    return first.astype(np.intp) * CONTEXT_LEVELS + second


def _sources(payloads: Symbols, alphabet: int, shift: int) -> tuple[float, NDArray[np.uint16]]:
    """(channels, 2) sources, and the bits of all symbols with them.

    The best pairs of which one is good alone. The best one alone need not be in it: to take that and then
    the best one beside it cost AgileNN's CIFAR-10 payloads 6 %.
    """
    chosen, bits = [], 0.0
    seen = levels(payloads, shift)
    for channel in range(payloads.shape[1]):
        own = payloads[:, channel]
        planes = [channel, *range(channel)]
        known = {name: source(seen, channel, name) for name in (*planes, CONTEXT_LEFT)}
        good = sorted(known, key=lambda name: _bits(_histogram(known[name], own, alphabet)))[:GOOD_ALONE]
        pairs = {(min(one, other), max(one, other)) for one in good for other in known if one != other}
        both = {
            (first, second): _histogram(known[first] * CONTEXT_LEVELS + known[second], own, alphabet)
            for first, second in sorted(pairs)
        }
        least, pair = min((_bits(counts), pair) for pair, counts in both.items())
        chosen.append(pair)
        bits += least
    return bits, np.array(chosen, np.uint16)


def _count(
    payloads: Symbols, channel: int, sources: NDArray[np.uint16], alphabet: int, shift: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of one channel: (5, 2) rows and quiet groups that are all zero or not; symbols (contexts, alphabet)."""
    own = payloads[:, channel]
    zero, quiet = zero_groups(own), quiet_groups(payloads, channel, sources, shift)
    live: NDArray[np.bool_] = np.asarray(own.any(axis=-1))
    above = np.concatenate([np.zeros((len(live), 1), np.bool_), live[:, :-1]], axis=1)
    beside = row_source(sources, channel)
    other = above if beside == channel else payloads[:, beside].any(axis=-1)
    flags = np.zeros((5, 2), np.int64)
    np.add.at(flags, (above + 2 * other, live.astype(np.intp)), 1)
    asked = live[..., None] & quiet
    flags[4] = np.bincount(~zero[asked], minlength=2)
    coded = (live[..., None] & ~(quiet & zero)).repeat(4, axis=-1)[..., : own.shape[-1]]
    context = context_of(payloads, channel, sources, shift)
    return flags, _histogram(context[coded], own[coded], alphabet)


def _histogram(context: NDArray[np.integer], symbols: Symbols, alphabet: int) -> NDArray[np.int64]:
    """(contexts, alphabet) counts."""
    contexts = CONTEXT_LEVELS**2
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


def _share(counts: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Counts (channels, contexts, alphabet) → the table of every channel, and the counts of the tables.

    Two tables at a time are merged, those that cost fewest bits together, while that is next to nothing or
    there are more than TABLES_MAX.
    """
    tables, table_of = counts.copy(), np.arange(len(counts))
    bearable = SHARED_COST * _bits(counts)
    while len(used := np.unique(table_of)) > 1:
        alone = _entropy(tables[used]).sum(axis=-1)
        cost = np.array([_entropy(tables[used] + tables[one]).sum(axis=-1) for one in used])
        cost -= alone[:, None] + alone
        np.fill_diagonal(cost, np.inf)
        kept, gone = used[sorted(divmod(int(cost.argmin()), len(used)))]
        if cost.min() > bearable and len(used) <= TABLES_MAX:
            break
        tables[kept] += tables[gone]
        table_of[table_of == gone] = kept
    used, compact = np.unique(table_of, return_inverse=True)
    return compact.astype(np.uint8), tables[used]
