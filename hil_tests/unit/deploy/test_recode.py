"""A bundle behind another codec: the same network, other tables, another hash."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hil import bundle as bundles
from hil.bundle import Bundle, InputFormat, Manifest, PayloadFormat
from hil.codec.coder import CODECS, make_coder
from hil.deploy.codecs import recode as recoding
from hil.deploy.codecs.recode import format_for, recode, recoded
from hil.errors import UsageError

PAYLOAD = PayloadFormat(0, 3, 4, 8, (0.0, 1.0, 2.0, 3.0))
MANIFEST = Manifest(
    scheme="agilenn",
    dataset="digits",
    classes=10,
    seed=0,
    input=InputFormat(8, 8, 1, 1, (0.5,), (0.5,)),
    payload=PAYLOAD,
    alpha=0.5,
    config={},
    metrics={"accuracy": 0.9, "payload_bytes": 12.0},
)
TENSORS = {"device.w": np.ones((2, 3), np.float32), "codec.lengths": np.ones((3, 4), np.uint8)}
SYMBOLS = np.random.default_rng(4).integers(0, 4, (6, PAYLOAD.symbols), dtype=np.uint8)


def of(payload: PayloadFormat | None) -> Bundle:
    return Bundle(replace(MANIFEST, payload=payload), TENSORS)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle on disk whose device half is not asked: what it sends is SYMBOLS."""
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(recoding, "_symbols", lambda bundle: lambda: SYMBOLS)
    bundles.save(of(PAYLOAD), tmp_path / "bundle.safetensors")
    return tmp_path / "bundle.safetensors"


@pytest.mark.parametrize("codec", CODECS)
def test_any_codec_packs_what_the_bundle_sends(path: Path, codec: str) -> None:
    made = bundles.load(recode(path, codec))
    assert made.manifest.payload is not None
    coder = make_coder(made.manifest.payload, made.part("codec"))
    assert coder.form.codec == codec
    assert np.array_equal(coder.decode(coder.encode(SYMBOLS[0])), SYMBOLS[0])


def test_the_network_stays_and_the_former_codecs_tables_and_figures_go(path: Path) -> None:
    made = bundles.load(recode(path, "range"))
    assert set(made.tensors) == {"device.w", "codec.frequencies"}
    assert made.manifest.metrics == {"accuracy": 0.9}


def test_the_same_wish_gives_the_same_bytes_and_another_one_another_hash(path: Path) -> None:
    first = recode(path, "context")
    content = first.read_bytes()
    first.unlink()
    assert recode(path, "context").read_bytes() == content
    assert bundles.digest(recode(path, "range")) != bundles.digest(first)


def test_a_recoded_bundle_is_made_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = recode(path, "huffman")
    monkeypatch.setattr(recoding, "_symbols", lambda bundle: pytest.fail("made again"))
    assert recode(path, "huffman") == made


def test_its_own_codec_leaves_a_bundle_as_it_is(path: Path) -> None:
    assert recode(path, "lzw") == path


def test_its_own_codec_in_another_order_is_another_bundle(path: Path) -> None:
    made = bundles.read_manifest(recode(path, "lzw", "rows"))
    assert made.payload == replace(PAYLOAD, order="rows")


@pytest.mark.parametrize(("codec", "order"), [("lz4", "planes"), ("range", "rows"), ("context", "rows")])
def test_what_can_be_encoded_on_the_way_goes_by_rows(codec: str, order: str) -> None:
    assert format_for(PAYLOAD, codec).order == order


def test_a_progressive_payload_stays_in_planes() -> None:
    progressive = of(replace(PAYLOAD, progressive=True))
    assert progressive.manifest.payload is not None
    form = format_for(progressive.manifest.payload, "range")
    assert form.order == "planes"
    assert recoded(progressive, form, lambda: SYMBOLS).manifest.payload == form


@pytest.mark.parametrize("codec", ["lzw", "lz4", "context"])
def test_a_progressive_payload_is_none_for_codecs_that_are_read_whole(codec: str) -> None:
    progressive = of(replace(PAYLOAD, progressive=True, codec="range"))
    assert progressive.manifest.payload is not None
    with pytest.raises(UsageError, match=r"progressive|sends rows"):
        recoded(progressive, format_for(progressive.manifest.payload, codec), lambda: SYMBOLS)


def test_where_nothing_is_sent_there_is_nothing_to_pack(path: Path) -> None:
    bundles.save(of(None), path)
    with pytest.raises(UsageError, match="sends nothing that a codec could pack"):
        recode(path, "range")


def test_an_unknown_codec_is_told_with_the_known_ones(path: Path) -> None:
    with pytest.raises(UsageError, match="unknown codec 'rage'") as error:
        recode(path, "rage")
    assert "did you mean 'range'" in (error.value.hint or "")
