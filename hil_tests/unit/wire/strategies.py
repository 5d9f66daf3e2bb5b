"""Hypothesis strategies for messages."""

from __future__ import annotations

from hypothesis import strategies as st

from hil.wire.protocol import (
    CHUNK_MAX,
    FallbackReason,
    Integrity,
    NonceSource,
    Outcome,
    RejectReason,
    ReplyStatus,
    ResetCause,
)
from hil.wire.to_device import Check, Configure, Hello, Input, Reply, Run
from hil.wire.to_host import Capability, Checked, Fault, Layers, Payload, Reject, Result, StageCycles, Started

u8, u16, u32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))
i16 = st.integers(-(1 << 15), (1 << 15) - 1)
i32 = st.integers(-(1 << 31), (1 << 31) - 1)


@st.composite
def _chunk(draw, kind, *more):
    data = draw(st.binary(min_size=1, max_size=CHUNK_MAX))
    offset = draw(st.integers(0, 1 << 20))
    return kind(draw(u32), offset + len(data) + draw(st.integers(0, 1 << 20)), offset, data, *map(draw, more))


nonces = st.binary(min_size=16, max_size=16)
tags = st.sampled_from([b"", bytes(range(16))])
checked = st.builds(Checked, st.sampled_from(Integrity), u32, u32, u32)
cycles = st.builds(StageCycles, *[u32] * 9)
messages = st.one_of(
    st.builds(Hello, u16),
    st.builds(Configure, u32, u32, u32, nonces),
    _chunk(Input),
    _chunk(Payload, u32),
    st.builds(Run, u32, u32),
    st.builds(Reply, u32, st.sampled_from(ReplyStatus), st.lists(i16, max_size=200).map(tuple), tags),
    st.builds(
        Capability, u16, st.tuples(u8, u8, u8), st.sampled_from(ResetCause), u32, u32, u32, u32, u32, u16,
        u16, st.binary(min_size=32, max_size=32), checked,
        st.sampled_from(NonceSource), nonces,
    ),
    st.builds(Check, u32),
    checked,
    st.builds(
        Result, u32, st.sampled_from(Outcome), st.sampled_from(FallbackReason), u16, u32, cycles, u32, u16,
        u16, st.lists(st.integers(-128, 127), max_size=100).map(tuple),
        st.lists(i32, max_size=100).map(tuple), u32, u32, u16,
    ),
    st.builds(Layers, u32, st.lists(u32, max_size=100).map(tuple)),
    st.builds(Reject, u8, st.sampled_from(RejectReason)),
    st.builds(Fault, u32, u32, u32, u32, u32),
    st.builds(Started, st.sampled_from(ResetCause)),
)  # fmt: skip
