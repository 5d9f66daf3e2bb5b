"""Spoken words: coefficients, and the layout of Speech Commands."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil import data
from hil.data.mfcc import COEFFICIENTS, FRAMES, RATE_HZ, mfcc
from hil.data.words import KEYWORDS, NOISE, SYNTHETIC, TEST_LIST
from hil.errors import DataError

WORDS = (*KEYWORDS, "marvin")


def _tone(hertz: float, seconds: float = 1.0, level: float = 8000) -> NDArray[np.int16]:
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (level * np.sin(2 * np.pi * hertz * at)).astype(np.int16)


def _write(path: Path, samples: NDArray[np.int16], rate: int = RATE_HZ) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Each word a tone of its own: two recordings to train on, one to test on, one of them short."""
    folder = tmp_path / SYNTHETIC.folder
    for number, word in enumerate(WORDS):
        for take in "abc":
            _write(folder / word / f"{take}.wav", _tone(200 + 100 * number, 0.5 if take == "a" else 1.0))
    _write(folder / NOISE / "hum.wav", _tone(50, 12))
    (folder / TEST_LIST).write_text("".join(f"{word}/b.wav\n" for word in WORDS))
    return folder


def test_a_second_becomes_49_frames_of_10_coefficients() -> None:
    assert mfcc(_tone(440)[None]).shape == (1, FRAMES, COEFFICIENTS)
    assert mfcc(np.zeros((0, RATE_HZ), np.int16)).shape == (0, FRAMES, COEFFICIENTS)


def test_loudness_moves_the_first_coefficient_alone() -> None:
    hiss = np.random.default_rng(1).standard_normal(RATE_HZ) * 1000
    quiet, loud = mfcc(np.stack([hiss, 8 * hiss]).astype(np.int16))
    # Every band has 8 times the amplitude, and the first coefficient is √40 times their mean.
    assert np.allclose(loud[:, 0] - quiet[:, 0], np.sqrt(40) * np.log(8), atol=0.1)
    assert np.allclose(loud[:, 1:], quiet[:, 1:], atol=0.1)


@given(st.integers(0, 2**32 - 1))
def test_no_recording_has_coefficients_that_are_no_numbers(seed: int) -> None:
    draw = np.random.default_rng(seed)
    wave_ = draw.integers(-32768, 32768, (2, RATE_HZ)).astype(np.int16)
    wave_[1] = 0
    assert np.isfinite(mfcc(wave_)).all()


def test_the_list_parts_training_from_test(published: Path) -> None:
    words = data.get("words")
    train, test = (words.load(split, published.parent) for split in ("train", "test"))  # type: ignore[arg-type]
    assert np.bincount(train.labels).tolist() == [2] * 12
    assert np.bincount(test.labels).tolist() == [1] * 12
    assert train.images.shape[1:] == words.shape
    assert train.images.min() >= 0
    assert train.images.max() <= 1


def test_other_words_are_drawn_the_same_way_every_time(published: Path) -> None:
    for take in range(30):
        _write(published / "sheila" / f"{take}.wav", _tone(150 + take))
    first, second = (data.get("words").load("train", published.parent) for _ in range(2))
    assert np.array_equal(first.images, second.images)
    assert np.bincount(first.labels)[10] == 2


def test_a_missing_keyword_is_told(published: Path) -> None:
    (published / "go" / "b.wav").unlink()
    with pytest.raises(DataError, match="lacks recordings of some keywords"):
        data.get("words").load("test", published.parent)


def test_a_recording_at_another_rate_is_refused(published: Path) -> None:
    _write(published / "go" / "a.wav", _tone(100), rate=8000)
    with pytest.raises(DataError, match=r"a\.wav is not 16 bits of one channel at 16 kHz"):
        data.get("words").load("train", published.parent)


def test_a_damaged_recording_is_named(published: Path) -> None:
    (published / "go" / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"a\.wav is damaged"):
        data.get("words").load("train", published.parent)


def test_without_noise_there_is_no_silence(published: Path) -> None:
    (published / NOISE / "hum.wav").unlink()
    with pytest.raises(DataError, match="no recording of 10 s"):
        data.get("words").load("train", published.parent)


def test_the_hint_says_how_the_words_are_made(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        data.get("words").load("train", tmp_path)
    assert "tools/spoken-words" in caught.value.hint
