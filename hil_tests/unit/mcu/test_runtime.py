"""Quantiser, fusion, early exit, coverage and kernels against NumPy."""

from __future__ import annotations

import struct

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from hil.bundle import PayloadFormat
from hil.codec.order import ORDERS, to_runs
from hil.deploy.deployment import ExitRule
from hil.deploy.exit import exits, make_exit
from hil.deploy.graph import Tensor
from hil_tests.unit.mcu.harness import Harness

many = settings(max_examples=100, deadline=None)
seeds = st.integers(0, 2**32 - 1)


@many
@given(
    seed=seeds, height=st.integers(1, 8), width=st.integers(1, 8), channels=st.integers(1, 12), data=st.data()
)
def test_quantise_gives_symbols_in_the_order_of_sending(
    firmware: Harness, seed: int, height: int, width: int, channels: int, data: st.DataObject
) -> None:
    pixels = height * width
    begin = data.draw(st.integers(0, channels - 1))
    sent = data.draw(st.integers(1, channels - begin))
    rng = np.random.default_rng(seed)
    feature = rng.integers(-128, 128, (pixels, channels), dtype=np.int8)
    table = rng.integers(0, 256, 256, dtype=np.uint8)
    expected = table[feature.astype(np.int16)[:, begin : begin + sent].T + 128]
    for name, order in ORDERS.items():
        head = struct.pack("<6I", pixels, channels, begin, sent, order, width)
        answer = firmware.ask("Q", head + table.tobytes() + feature.tobytes())
        form = PayloadFormat(begin, sent, height, width, (), order=name)
        assert answer == to_runs(expected, form).tobytes()


@many
@given(seed=seeds, classes=st.integers(1, 255), has_local=st.booleans())
def test_fuse(firmware: Harness, seed: int, classes: int, has_local: bool) -> None:
    rng = np.random.default_rng(seed)
    local = rng.integers(-128, 128, classes, dtype=np.int8)
    remote = rng.integers(-(2**15), 2**15, classes, dtype=np.int32)
    near, zero, far = int(rng.integers(-(2**20), 2**20)), int(rng.integers(-128, 128)), 2**13
    head = struct.pack("<3iII", near, zero, far, has_local, classes)
    answer = firmware.ask("F", head + remote.tobytes() + local.tobytes())
    fused = far * remote + (near * (local.astype(np.int32) - zero) if has_local else 0)
    assert answer[8:] == fused.astype(np.int32).tobytes()
    assert struct.unpack_from("<II", answer) == (int(fused.argmax()), int(local.argmax()))


def test_the_lowest_of_equal_logits_wins(firmware: Harness) -> None:
    remote = np.array([1, 5, 5, -1], np.int32)
    local = np.array([-3, -7, -3, -3], np.int8)
    answer = firmware.ask("F", struct.pack("<3iII", 0, 0, 1, 0, 4) + remote.tobytes() + local.tobytes())
    assert struct.unpack_from("<II", answer) == (1, 0)


def _exits(firmware: Harness, rule: ExitRule | None, logits: NDArray[np.int8]) -> bool:
    table = np.zeros(256, np.uint32) if rule is None else rule.exponentials
    head = struct.pack("<II", rule is not None, 0xFFFF_FFFF if rule is None else rule.limit)
    answer = firmware.ask("X", head + table.tobytes() + logits.tobytes())
    return struct.unpack("<I", answer) == (1,)


@many
@given(
    logits=npst.arrays(np.int8, st.integers(1, 255)),
    scale=st.floats(1e-3, 1.0),
    confidence=st.floats(0, 1, exclude_min=True),
)
def test_the_device_exits_where_the_host_says_so(
    firmware: Harness, logits: NDArray[np.int8], scale: float, confidence: float
) -> None:
    rule = make_exit(confidence, Tensor("logits", (1, 1, len(logits)), scale, 0))
    assert _exits(firmware, rule, logits) == exits(rule, logits)


@many
@given(logits=npst.arrays(np.int8, st.integers(1, 255)))
def test_the_device_agrees_at_the_very_limit(firmware: Harness, logits: NDArray[np.int8]) -> None:
    rule = make_exit(0.5, Tensor("logits", (1, 1, len(logits)), 0.05, 0))
    total = int(rule.exponentials[int(logits.max()) - logits.astype(int)].sum())
    assert _exits(firmware, ExitRule(rule.exponentials, total), logits)
    assert not _exits(firmware, ExitRule(rule.exponentials, total - 1), logits)


@many
@given(logits=npst.arrays(np.int8, st.integers(1, 255)))
def test_without_a_rule_nothing_exits(firmware: Harness, logits: NDArray[np.int8]) -> None:
    assert not _exits(firmware, None, logits)


@many
@given(seed=seeds, total=st.integers(1, 200), pieces=st.integers(0, 40))
def test_coverage(firmware: Harness, seed: int, total: int, pieces: int) -> None:
    rng = np.random.default_rng(seed)
    begins = rng.integers(0, total, pieces)
    ends = [int(rng.integers(begin + 1, total + 1)) for begin in begins]
    seen = np.zeros(total, bool)
    request = struct.pack("<I", total)
    for begin, end in zip(begins, ends, strict=True):
        seen[begin:end] = True
        request += struct.pack("<II", begin, end)
    assert firmware.ask("C", request) == bytes([1] * pieces + [int(seen.all())])


def test_coverage_takes_256_chunks_in_the_worst_order(firmware: Harness) -> None:
    order = [*range(0, 256, 2), *range(1, 256, 2)]
    request = b"".join(struct.pack("<II", 1024 * i, 1024 * (i + 1)) for i in order)
    assert firmware.ask("C", struct.pack("<I", 2**18) + request) == b"\1" * 257


def test_coverage_refuses_more_separate_spans(firmware: Harness) -> None:
    request = b"".join(struct.pack("<II", 2 * i, 2 * i + 1) for i in range(129))
    assert firmware.ask("C", struct.pack("<I", 1000) + request) == b"\1" * 128 + b"\0\0"


@many
@given(seed=seeds, size=st.tuples(*[st.integers(1, 6)] * 3), pad=st.tuples(*[st.integers(0, 3)] * 4))
def test_pad(
    firmware: Harness, seed: int, size: tuple[int, int, int], pad: tuple[int, int, int, int]
) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(-128, 128, size, dtype=np.int8)
    value = int(rng.integers(-128, 128))
    expected = np.pad(image, (pad[:2], pad[2:], (0, 0)), constant_values=value)
    head = struct.pack("<9i", expected.size, *size, *pad, value)
    assert firmware.ask("p", head + image.tobytes()) == expected.tobytes()


@many
@given(seed=seeds, pixels=st.integers(1, 30), channels=st.integers(1, 12), data=st.data())
def test_slice_channels(
    firmware: Harness, seed: int, pixels: int, channels: int, data: st.DataObject
) -> None:
    begin = data.draw(st.integers(0, channels - 1))
    end = data.draw(st.integers(begin + 1, channels))
    image = np.random.default_rng(seed).integers(-128, 128, (pixels, channels), dtype=np.int8)
    expected = image[:, begin:end]
    head = struct.pack("<9i", expected.size, pixels, channels, begin, end, 0, 0, 0, 0)
    assert firmware.ask("s", head + image.tobytes()) == expected.tobytes()


@many
@given(seed=seeds, count=st.integers(0, 70), bounds=st.tuples(*[st.integers(-128, 127)] * 2))
def test_clamp(firmware: Harness, seed: int, count: int, bounds: tuple[int, int]) -> None:
    low, high = sorted(bounds)
    values = np.random.default_rng(seed).integers(-128, 128, count, dtype=np.int8)
    head = struct.pack("<9i", count, low, high, 0, 0, 0, 0, 0, 0)
    assert firmware.ask("c", head + values.tobytes()) == values.clip(low, high).tobytes()
