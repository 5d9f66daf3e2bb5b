"""Arrays as small PNG files inside a page."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray

GAP = 8
"""Pixels of a tile for each between two tiles; one at least."""


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """(h, w), (h, w, 1), (h, w, 3) or, with opacity, (h, w, 4) as a `data:` address of a PNG."""
    from PIL import Image

    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def grey_or_rgb(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """An image (h, w, channels) in [0, 1] as bytes; the mean where there are not 3 of them."""
    shown = image if image.shape[2] == 3 else image.mean(axis=2, keepdims=True)
    return np.asarray(np.rint(np.clip(shown, 0, 1) * 255), np.uint8)


def heat(values: NDArray[np.float64], greatest: float) -> NDArray[np.uint8]:
    """(h, w) from 0 to `greatest` → (h, w, 3) in cividis, which is even in brightness for every eye."""
    from matplotlib import colormaps

    shares = values / greatest if greatest > 0 else np.zeros_like(values)
    return np.asarray(colormaps["cividis"](np.clip(shares, 0, 1), bytes=True)[..., :3], np.uint8)


def sheet(tiles: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """(N, h, w, 3) side by side in rows of `columns`, with clear gaps: (H, W, 4)."""
    count, height, width, _ = tiles.shape
    gap, rows = max(1, width // GAP), -(-count // columns)
    whole = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap, 4), np.uint8)
    for number, tile in enumerate(tiles):
        y, x = (number // columns) * (height + gap), (number % columns) * (width + gap)
        whole[y : y + height, x : x + width, :3] = tile
        whole[y : y + height, x : x + width, 3] = 255
    return whole
