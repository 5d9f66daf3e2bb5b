"""Mel-frequency cepstral coefficients of a second of speech: 49 frames of 10, for small networks.

The parameters of Zhang, Suda, Lai and Chandra, "Hello Edge" (2017), as MLPerf Tiny's keyword spotting
has them: 16 kHz, windows of 40 ms every 20 ms, 40 mel bands from 20 Hz to 4 kHz.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE_HZ = 16_000
FRAMES, COEFFICIENTS = 49, 10
_WINDOW, _STEP, _SPECTRUM = 640, 320, 1024
_BANDS, _LOW_HZ, _HIGH_HZ = 40, 20.0, 4000.0
_FLOOR = 1e-6
"""Added to every band's energy: silence has a finite logarithm."""
_CHUNK = 512
"""Recordings at a time: their frames take 50 MB."""


def _mel(hertz: NDArray[np.floating]) -> NDArray[np.floating]:
    mels: NDArray[np.floating] = 1127.0 * np.log1p(hertz / 700.0)
    return mels


@lru_cache(maxsize=1)
def _filters() -> Floats:
    """(513, 40) triangles, evenly spaced on the mel scale."""
    low, high = _mel(np.array([_LOW_HZ, _HIGH_HZ]))
    edges = np.linspace(low, high, _BANDS + 2)
    bins = _mel(np.fft.rfftfreq(_SPECTRUM, 1 / RATE_HZ))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    triangles: Floats = np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)
    return triangles


def mfcc(waves: NDArray[np.int16]) -> Floats:
    """(N, 16000) samples → (N, 49, 10) coefficients, unscaled."""
    parts = [_mfcc(waves[start : start + _CHUNK]) for start in range(0, len(waves), _CHUNK)]
    return np.concatenate(parts) if parts else np.zeros((0, FRAMES, COEFFICIENTS), np.float32)


def _mfcc(waves: NDArray[np.int16]) -> Floats:
    starts = np.arange(FRAMES)[:, None] * _STEP + np.arange(_WINDOW)
    frames = waves[:, starts].astype(np.float32) / np.float32(32768)
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW).astype(np.float32), _SPECTRUM))
    energies = np.log(spectrum.astype(np.float32) @ _filters() + _FLOOR)
    coefficients: Floats = (energies @ _cosines()).astype(np.float32)
    return coefficients


@lru_cache(maxsize=1)
def _cosines() -> Floats:
    """(40, 10): the first columns of the orthonormal DCT-II."""
    angles = np.pi / _BANDS * (np.arange(_BANDS)[:, None] + 0.5) * np.arange(COEFFICIENTS)
    scale = np.where(np.arange(COEFFICIENTS) == 0, np.sqrt(1 / _BANDS), np.sqrt(2 / _BANDS))
    cosines: Floats = (np.cos(angles) * scale).astype(np.float32)
    return cosines
