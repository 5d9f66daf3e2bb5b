"""The server half takes payloads as a device sends them."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from hil import bundle, data
from hil.codec import frequencies, lzw
from hil.codec.coder import make_coder
from hil.codec.tables import make_tables
from hil.errors import BundleError, CodecError
from hil.schemes.halves import load_halves
from hil.schemes.prefix import MISSING, known
from hil.schemes.remote import RemoteHalf, to_fixed
from hil.server.answer import Request
from hil.training.quantiser import nearest
from hil_tests.unit.codec.payloads import PROGRESSIVE, skewed


@pytest.fixture(scope="module")
def remote(toy_bundle: Path) -> RemoteHalf:
    return RemoteHalf(toy_bundle)


def _with(path: Path, folder: Path, codec: str, progressive: bool = True) -> Path:
    """The bundle of `path` with payloads in that codec."""
    loaded = bundle.load(path)
    assert loaded.manifest.payload is not None
    payload = replace(loaded.manifest.payload, codec=codec, progressive=progressive)
    counts = frequencies.count(_symbols(20).reshape(20, -1), payload.channels, len(payload.centroids))
    tables = {f"codec.{name}": value for name, value in make_tables(codec, counts).items()}
    changed = folder / f"{codec}.safetensors"
    manifest = replace(loaded.manifest, payload=payload)
    bundle.save(replace(loaded, manifest=manifest, tensors=loaded.tensors | tables), changed)
    return changed


@pytest.fixture(scope="module", params=PROGRESSIVE)
def progressive_path(
    request: pytest.FixtureRequest, toy_bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A bundle whose server half may be asked about first bytes; nobody trained it for that."""
    return _with(toy_bundle, tmp_path_factory.mktemp("progressive"), request.param)


@pytest.fixture(scope="module")
def progressive(progressive_path: Path) -> RemoteHalf:
    return RemoteHalf(progressive_path)


def _encoded(path: Path, seed: int) -> bytes:
    loaded = bundle.load(path)
    form = loaded.manifest.payload
    assert form is not None
    coder = make_coder(form, loaded.part("codec"))
    return coder.encode(skewed(seed, form.symbols, len(form.centroids), 0.5))


def _symbols(count: int) -> NDArray[np.uint8]:
    """Random indices of the toy bundle's four centroids, (count, 9, 6, 6)."""
    return np.random.default_rng(0).integers(0, 4, (count, 9, 6, 6), dtype=np.uint8)


def _payloads(count: int) -> list[bytes]:
    return [lzw.encode(symbols.ravel(), 4) for symbols in _symbols(count)]


def test_symbols_come_channel_by_channel_and_row_by_row(remote: RemoteHalf) -> None:
    assert remote.manifest.payload is not None
    centroids = np.array(remote.manifest.payload.centroids, dtype=np.float32)
    assert np.array_equal(remote.decode(_payloads(1)[0]), centroids[_symbols(1)[0]])


def test_logits_are_the_networks_own_in_fixed_point(remote: RemoteHalf, toy_bundle: Path) -> None:
    _, server = load_halves(bundle.load(toy_bundle))
    assert remote.manifest.payload is not None
    centroids = torch.tensor(remote.manifest.payload.centroids)
    expected = server(centroids[torch.from_numpy(_symbols(5).astype(np.int64))])
    found = remote.infer(_payloads(5))
    assert found.dtype == np.int16
    assert found.shape == (5, 3)
    assert np.abs(found / 256 - expected.numpy()).max() <= 0.5 / 256 + 1e-5


def test_a_batch_answers_as_single_requests_would(remote: RemoteHalf) -> None:
    payloads = _payloads(7)
    single = np.concatenate([remote.infer([payload]) for payload in payloads])
    # Sums may be taken in another order in a batch: at most the last bit differs.
    assert np.abs(remote.infer(payloads).astype(int) - single).max() <= 1


def test_a_batch_with_a_corrupt_payload_is_refused_as_a_whole(remote: RemoteHalf) -> None:
    payloads = _payloads(3)
    for corrupt in (payloads[1][:-2], b"", b"\x00"):
        with pytest.raises(CodecError):
            remote.infer([payloads[0], corrupt, payloads[2]])


def test_nothing_asked_is_nothing_answered(remote: RemoteHalf) -> None:
    assert remote.infer([]).shape == (0, 3)


@given(st.binary(max_size=300))
def test_noise_is_a_codec_error_or_a_payload(remote: RemoteHalf, noise: bytes) -> None:
    with contextlib.suppress(CodecError):
        assert remote.infer([noise]).shape == (1, 3)


@given(st.integers(0, 2**32 - 1), st.data())
def test_first_bytes_decode_as_the_whole_payload_does_on_complete_channels(
    progressive: RemoteHalf, progressive_path: Path, seed: int, data: st.DataObject
) -> None:
    payload = _encoded(progressive_path, seed)
    whole = progressive.decode(payload)
    sizes = sorted(data.draw(st.lists(st.integers(0, len(payload)), max_size=5)))
    decoded = [progressive.decode_prefix(payload[:size]) for size in [0, *sizes, len(payload)]]
    for values, complete in decoded:
        assert np.array_equal(values[:complete], whole[:complete])
        assert np.all(values[complete:] == MISSING)
    counts = [complete for _, complete in decoded]
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, len(whole))


def test_an_answer_from_first_bytes_is_the_networks_on_what_is_known(
    progressive: RemoteHalf, progressive_path: Path
) -> None:
    payload = _encoded(progressive_path, 1)
    cut = payload[: len(payload) // 2]
    values, complete = progressive.decode_prefix(cut)
    assert 0 < complete < len(values)
    requests = [Request(payload), Request(cut, True), Request(b"", True)]
    whole, part, nothing = map(progressive.decode_request, requests)
    assert part.values is not None
    _, server = load_halves(bundle.load(progressive_path))
    expected = server(torch.from_numpy(known(progressive.decode(payload), complete)[None]))[0]
    assert np.abs(progressive.logits([part.values])[0] / 256 - expected.numpy()).max() <= 1 / 256
    assert (whole.channels, part.channels) == (len(values), complete)
    assert (nothing.values, nothing.channels) == (None, 0)


def test_a_server_half_not_trained_for_first_bytes_refuses_them(
    remote: RemoteHalf, toy_bundle: Path, tmp_path: Path
) -> None:
    path = _with(toy_bundle, tmp_path, "range", progressive=False)
    for half, payload in ((remote, _payloads(1)[0]), (RemoteHalf(path), _encoded(path, 0))):
        assert half.decode_request(Request(payload)).channels == 9
        with pytest.raises(CodecError, match="not progressive"):
            half.decode_request(Request(payload, prefix=True))


def test_a_progressive_bundle_with_a_codec_that_is_read_whole_is_refused(
    toy_bundle: Path, tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match="'lzw' is read whole") as caught:
        RemoteHalf(_with(toy_bundle, tmp_path, "lzw"))
    assert "range" in caught.value.hint


def test_a_bundle_that_sends_nothing_has_no_remote_half(toy_bundle: Path, tmp_path: Path) -> None:
    loaded = bundle.load(toy_bundle)
    local = replace(loaded, manifest=replace(loaded.manifest, payload=None))
    bundle.save(local, tmp_path / "local.safetensors")
    with pytest.raises(BundleError, match="answers on the device alone"):
        RemoteHalf(tmp_path / "local.safetensors")


@given(
    npst.arrays(
        np.float32, st.tuples(st.integers(0, 4), st.integers(1, 12)), elements=st.floats(-400, 400, width=32)
    )
)
def test_fixed_point_is_nearest_and_saturates(logits: NDArray[np.float32]) -> None:
    fixed = to_fixed(logits)
    assert fixed.dtype == np.int16
    expected = np.clip(logits.astype(np.float64), -128, 127 + 255 / 256)
    assert np.abs(fixed / 256 - expected).max(initial=0) <= 0.5 / 256


@pytest.mark.slow
def test_the_deployed_arithmetic_gives_the_recorded_predictions(digits_bundle: Path) -> None:
    loaded = bundle.load(digits_bundle)
    manifest = loaded.manifest
    assert manifest.payload is not None
    prepared = manifest.input.prepare(data.get("digits").load("test").images)
    device, _ = load_halves(loaded)
    with torch.inference_mode():
        local, features = device(torch.from_numpy(prepared.transpose(0, 3, 1, 2).copy()))
    centroids = torch.tensor(manifest.payload.centroids)
    sent = (
        nearest(features[:, manifest.payload.channel_begin :], centroids).to(torch.uint8).flatten(1).numpy()
    )
    payloads = [lzw.encode(symbols, len(centroids)) for symbols in sent]
    remote = RemoteHalf(digits_bundle).infer(payloads) / 256
    fused = manifest.alpha * local.numpy() + (1 - manifest.alpha) * remote
    assert np.mean(fused.argmax(axis=1) == loaded.tensors["record.predictions"]) > 0.995
    assert np.mean([len(payload) for payload in payloads]) == pytest.approx(
        manifest.metrics["payload_bytes"], rel=0.01
    )
