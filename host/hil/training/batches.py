"""Batches of images as the network takes them: shuffled, cropped, flipped, upscaled, normalised."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from hil.bundle import InputFormat
from hil.data.dataset import Dataset, Split
from hil.errors import TrainingError
from hil.training.device import laid_out
from hil.training.recipe import Recipe


def input_format(dataset: Dataset) -> InputFormat:
    """What networks trained on `dataset` take."""
    height, width, channels = dataset.shape
    return InputFormat(
        height=height * dataset.upscale,
        width=width * dataset.upscale,
        channels=channels,
        upscale=dataset.upscale,
        mean=dataset.mean,
        std=dataset.std,
    )


def augment(images: Tensor, padding: int, flip: bool) -> Tensor:
    """(N, C, H, W) → the same shape, every image cropped and mirrored by its own luck."""
    count, channels, height, width = images.shape
    where = images.device  # luck is drawn on the CPU, so that it does not depend on what trains
    if padding:
        padded = torch.nn.functional.pad(images, (padding,) * 4)
        top, left = torch.randint(0, 2 * padding + 1, (2, count, 1))
        rows = (top + torch.arange(height)).to(where)[:, None, :, None]
        columns = (left + torch.arange(width)).to(where)[:, None, None, :]
        sample = torch.arange(count, device=where)[:, None, None, None]
        channel = torch.arange(channels, device=where)[None, :, None, None]
        images = padded[sample, channel, rows, columns]
    if flip:
        mirrored = (torch.rand(count) < 0.5).to(where)[:, None, None, None]
        images = torch.where(mirrored, images.flip(3), images)
    return images


class Batches:
    """One split in the memory of what trains, ready to be iterated over once per epoch."""

    def __init__(
        self, split: Split, form: InputFormat, recipe: Recipe, where: torch.device | None = None
    ) -> None:
        if recipe.limit:
            split = split.first(recipe.limit)
        if len(split) < 2:
            raise TrainingError(f"{len(split)} samples are nothing to train on", "raise the recipe's limit")
        self.split = split
        self.size = min(recipe.batch, len(split))
        self._recipe = recipe
        self._upscale = form.upscale
        self.where = where or torch.device("cpu")
        self._images = torch.from_numpy(split.images.transpose(0, 3, 1, 2).copy()).to(self.where)
        self._labels = torch.from_numpy(split.labels).to(self.where)
        self._mean = torch.tensor(form.mean, device=self.where)[:, None, None]
        self._std = torch.tensor(form.std, device=self.where)[:, None, None]

    def __len__(self) -> int:
        """Batches in an epoch of `shuffled`."""
        return len(self.split) // self.size

    def normalised(self, images: Tensor) -> Tensor:
        """Stored images (N, C, H, W), as bytes or in [0, 1], normalised at their own size."""
        unit = images.float() / 255 if images.dtype == torch.uint8 else images
        return laid_out((unit - self._mean) / self._std, self._recipe)

    def upscaled(self, images: Tensor) -> Tensor:
        """Every pixel becomes a square of pixels, as `InputFormat.prepare` does it."""
        large = images.repeat_interleave(self._upscale, 2).repeat_interleave(self._upscale, 3)
        return laid_out(large, self._recipe)

    def head(self, count: int) -> tuple[Tensor, Tensor]:
        """The first `count` samples as they are: normalised images and labels."""
        return self.normalised(self._images[:count]), self._labels[:count]

    def shuffled(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalised images at their own size and labels; the rest of an epoch is dropped."""
        order = torch.randperm(len(self.split)).to(self.where)
        for start in range(0, len(self) * self.size, self.size):
            chosen = order[start : start + self.size]
            images = augment(self._images[chosen], self._recipe.crop_padding, self._recipe.flip)
            yield self.normalised(images), self._labels[chosen]

    def in_order(self) -> Iterator[tuple[Tensor, Tensor]]:
        """All samples once, as they are."""
        for start in range(0, len(self.split), self.size):
            part = slice(start, start + self.size)
            yield self.normalised(self._images[part]), self._labels[part]
