"""Spoken words as 49 × 10 MFCC: the method is not only for pictures.

Two sets in one layout, that of Speech Commands (P. Warden, 2018): Google's own recordings, and words
that `tools/spoken-words` has synthesised, which need no download.
"""

from __future__ import annotations

import wave
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil.data import folders
from hil.data.dataset import Split, SplitName
from hil.data.mfcc import COEFFICIENTS, FRAMES, RATE_HZ, mfcc
from hil.data.source import Download, Source
from hil.errors import DataError

KEYWORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
NOISE = "_background_noise_"
TEST_LIST = "testing_list.txt"
_MEAN = np.array([-18.5, 1.6, 1.3, 0, 0, 0, 0, 0, 0, 0], np.float32)
_SPREAD = np.array([15.0, 3.5, 2.4, 2.3, 1.9, 1.5, 1.3, 1.1, 1.0, 1.0], np.float32)
"""Of each coefficient, measured on the synthetic words. The first, the loudness, moves ten times as far
as the others, which would leave them a few steps of int8: so each gets its own range."""
_RANGE = 8.0
"""Spreads that become [0, 1], which is what a data set holds; 0.5 is the mean."""
_UNKNOWN_SEED = 20180409

SPEECH_COMMANDS = Source(
    "speech_commands_v0.02",
    (
        Download(
            "http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
            "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
            "tar.gz",
            has_folder=False,
        ),
    ),
    megabytes=2400,
)
SYNTHETIC = Source("spoken-words", (), megabytes=0, how="make it with `tools/spoken-words FOLDER`")


@dataclass(frozen=True)
class SpokenWords:
    """Ten keywords, every other word, and silence, as in Zhang et al. (2017).

    Other words are drawn so that there are as many of them as of a keyword. Recordings in
    testing_list.txt are the test split; all others train.
    """

    name: str
    source: Source
    mean: tuple[float, ...]
    std: tuple[float, ...]
    label_names: tuple[str, ...] = (*KEYWORDS, "unknown", "silence")
    classes: int = len(KEYWORDS) + 2
    shape: tuple[int, int, int] = (FRAMES, COEFFICIENTS, 1)
    upscale: int = 1

    def load(self, split: SplitName, data_dir: Path | None = None) -> Split:
        """The split, in alphabetical order of its files. Raises DataError on a missing or damaged one."""
        folder = folders.find(self.source, data_dir)
        listed = _listed(folder, split)
        with ThreadPoolExecutor() as pool:
            waves = np.stack(list(pool.map(_second, (path for path, _ in listed))))
        labels = np.array([label for _, label in listed], dtype=np.int64)
        silent = _silence(folder, split, count=round(len(labels) / (len(KEYWORDS) + 1)))
        features = mfcc(np.concatenate([waves, silent]))
        scaled = np.clip((features - _MEAN) / (_RANGE * _SPREAD) + 0.5, 0, 1).astype(np.float32)
        silence = np.full(len(silent), len(KEYWORDS) + 1, dtype=np.int64)
        return Split(scaled[..., None], np.concatenate([labels, silence]))


def _listed(folder: Path, split: SplitName) -> list[tuple[Path, int]]:
    """Recordings of the split with their labels: keywords, then the drawn others."""
    try:
        tested = set((folder / TEST_LIST).read_text().split())
    except OSError as error:
        raise DataError(f"{folder / TEST_LIST} cannot be read: {error.strerror}", _hint(folder)) from None
    keywords: list[tuple[Path, int]] = []
    others: list[Path] = []
    for path in sorted(folder.glob("*/*.wav")):
        word = path.parent.name
        if word == NOISE or (f"{word}/{path.name}" in tested) != (split == "test"):
            continue
        if word in KEYWORDS:
            keywords.append((path, KEYWORDS.index(word)))
        else:
            others.append(path)
    if len({label for _, label in keywords}) < len(KEYWORDS):
        raise DataError(f"{folder} lacks recordings of some keywords", _hint(folder))
    wanted = min(len(others), round(len(keywords) / len(KEYWORDS)))
    chosen = np.random.default_rng(_UNKNOWN_SEED).choice(len(others), wanted, replace=False)
    return keywords + [(others[index], len(KEYWORDS)) for index in sorted(chosen)]


def _silence(folder: Path, split: SplitName, count: int) -> NDArray[np.int16]:
    """Seconds of the background recordings; the test split takes them from the last fifth."""
    recordings = [_samples(path) for path in sorted((folder / NOISE).glob("*.wav"))]
    recordings = [samples for samples in recordings if len(samples) >= 10 * RATE_HZ]
    if not recordings:
        raise DataError(f"{folder / NOISE} has no recording of 10 s", _hint(folder))
    generator = np.random.default_rng(_UNKNOWN_SEED + (split == "test"))
    pieces = []
    for index in range(count):
        samples = recordings[index % len(recordings)]
        border = len(samples) * 4 // 5
        first, last = (border, len(samples)) if split == "test" else (0, border)
        start = int(generator.integers(first, last - RATE_HZ + 1))
        pieces.append((samples[start : start + RATE_HZ] * generator.uniform(0, 1)).astype(np.int16))
    return np.stack(pieces) if pieces else np.zeros((0, RATE_HZ), np.int16)


def _second(path: Path) -> NDArray[np.int16]:
    """The first second of a recording, with silence behind a shorter one."""
    samples = _samples(path)[:RATE_HZ]
    return np.pad(samples, (0, RATE_HZ - len(samples)))


def _samples(path: Path) -> NDArray[np.int16]:
    try:
        with wave.open(str(path)) as file:
            form = file.getnchannels(), file.getsampwidth(), file.getframerate()
            if form != (1, 2, RATE_HZ):
                raise DataError(f"{path} is not 16 bits of one channel at 16 kHz", _hint(path.parent.parent))
            return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)
    except (OSError, EOFError, wave.Error) as error:
        raise DataError(f"{path} is damaged: {error}", _hint(path.parent.parent)) from None


def _hint(folder: Path) -> str:
    source = SYNTHETIC if folder.name == SYNTHETIC.folder else SPEECH_COMMANDS
    return source.hint


WORDS = SpokenWords("words", SYNTHETIC, mean=(0.5,), std=(0.125,))
SPEECH = SpokenWords("speech-commands", SPEECH_COMMANDS, mean=(0.5,), std=(0.125,))
