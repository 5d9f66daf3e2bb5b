"""What emulated devices send is what the firmware would, and is made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hil.bench.serving import payloads as module
from hil.bench.serving.bare import Bare
from hil.bench.serving.payloads import payloads
from hil.errors import BundleError
from hil.schemes.remote import RemoteHalf
from hil.zoo.shelf import FOLDER


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))


def test_they_decode_and_are_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = FOLDER / "agilenn-digits.safetensors"
    made = payloads(path, 5)
    assert len(made) == 5
    remote = RemoteHalf(path)
    assert remote.infer(list(made)).shape == (5, 10)
    monkeypatch.setattr(module, "_encode", lambda *given: pytest.fail("made again"))
    assert payloads(path, 5) == made
    (kept,) = (tmp_path / "cache").rglob("*.npz")
    kept.write_bytes(kept.read_bytes()[:50])
    monkeypatch.setattr(module, "_encode", lambda *given: (b"anew",))
    assert payloads(path, 5) == (b"anew",)


def test_a_device_that_answers_alone_sends_nothing() -> None:
    with pytest.raises(BundleError, match="alone"):
        payloads(FOLDER / "mcunet-digits.safetensors", 2)


def test_the_bare_pass_is_slower_with_decoding() -> None:
    path = FOLDER / "agilenn-digits.safetensors"
    rate = Bare(path, payloads(path, 2), batch=2).measure(0.02)
    assert np.isfinite([rate.forward_per_s, rate.forward_cpu_ms]).all()
    assert 0 < rate.decoded_per_s < rate.forward_per_s
