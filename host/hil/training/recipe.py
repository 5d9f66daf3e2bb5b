"""Everything that can be chosen about a training, as frozen data that a bundle keeps."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from hil.errors import UsageError, unknown_name

Optimiser = Literal["sgd", "adam"]
Precision = Literal["float32", "bf16"]
Where = Literal["cpu", "cuda", "auto"]


Stages = tuple[tuple[int, int, int, int], ...]
"""(expansion, channels, repeats, stride) of inverted residual blocks."""
MOBILENET_V2: Final[Stages] = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""On maps of 32 × 32, as AgileNN's authors have it."""

_LATER = frozenset({"device", "precision", "compile", "channels_last"})
_LATER_OF_AGILE = frozenset(
    {
        *("attribution_every", "attribution_batch", "attribution_reuse"),
        *("local_distillation", "distillation_temperature"),
        *("codec", "rate_weight", "progressive", "whole_share"),
        *("qat_epochs", "qat_drop", "qat_rate"),
        "alpha",
    }
)
"""Settings that came later: at their defaults neither bundles nor fingerprints mention them."""


@dataclass(frozen=True)
class Recipe:
    """What training any scheme needs. Subclasses add their own options."""

    epochs: int = 200
    batch: int = 128
    optimiser: Optimiser = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    """Of SGD."""
    weight_decay: float = 5e-4
    """Decoupled: the share of every weight that is lost per step, before the schedule."""
    crop_padding: int = 4
    """Pixels of black around an image before the random crop; 0 for no cropping."""
    flip: bool = True
    """Mirror half of the images."""
    limit: int = 0
    """Train and evaluate on that many samples only; 0 for all."""
    threads: int = 0
    """Threads of torch, which decide the order of sums and so the last bits; 0 for torch's own."""
    device: Where = "cpu"
    """What trains; "auto" is CUDA where there is one. Another device gives other last bits."""
    precision: Precision = "float32"
    """bf16 computes convolutions and products in 16 bits; weights, norms' figures and losses stay float32."""
    compile: bool = False
    """Let torch compile the reference network and the server half; attributions stay as they are."""
    channels_last: bool = False
    """Keep all maps with their channels innermost; the server half's weights are so anyway."""

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, (int, float)) and not (math.isfinite(value) and value >= 0):
                raise UsageError(f"the recipe's {item.name} is {value}", "finite, and not negative")
        for name in ("batch", "epochs"):
            if getattr(self, name) < 1:
                raise UsageError(f"the recipe's {name} is {getattr(self, name)}", "at least 1")


Attribution = Literal["integrated_gradients", "saliency"]
Remapping = Literal["global_importance", "topk_appearance", "none"]
BlockKind = Literal["fused", "mbconv"]
AgileCodec = Literal["lzw", "range", "huffman", "none"]
_USERS = {"whole_share": "progressive", "distillation_temperature": "local_distillation"}
"""Settings that mean nothing without another."""


@dataclass(frozen=True)
class AgileRecipe(Recipe):
    """AgileNN's options; the defaults are the authors' for CIFAR (facts, "Training", R)."""

    lambda_: float = 0.8
    """Weight of cross-entropy against the two attribution losses."""
    rho: float = 0.8
    """Share of importance that the local channels must hold."""
    rho_slack: float = 0.0
    """Training aims at rho + rho_slack, because a hinge loss settles just short of its target."""
    split_ratio: float = 0.2
    """Local channels as a share of all."""
    centroids: int = 8
    temperature: float = 1.0
    """Divides the fusion's two scalars before softmax."""
    alpha: float = 0.0
    """The local half's share in the fused logits, fixed; 0 lets training find it, as in the paper."""
    hardness: float = 4.0
    """Multiplies squared distances in the quantiser's softmax; backward only."""
    attribution: Attribution = "integrated_gradients"
    intervals: int = 1
    """Of integrated gradients; 1 is the repository's two-point rule."""
    remapping: Remapping = "global_importance"
    local_weight: float = 0.0
    """Share of the local predictor's own cross-entropy in the task loss; 0 as in the paper."""
    local_distillation: float = 0.0
    """Weight of a loss that teaches the local predictor the fused answer; 0 as in the paper."""
    distillation_temperature: float = 2.0
    """Divides the logits of teacher and pupil before softmax."""
    codec: AgileCodec = "lzw"
    """How payloads are packed; LZW is the paper's."""
    rate_weight: float = 0.0
    """Weight of the bits that a remote symbol costs on average (`hil.training.rate`); 0 as in the paper."""
    progressive: bool = False
    """Send the remote channels in order of importance, and train the server half on any number of them."""
    whole_share: float = 0.5
    """Share of the samples that a progressive training shows the server half with all channels."""
    qat_epochs: int = 0
    """Of quantisation-aware fine-tuning, where int8 costs more than `qat_drop`; 0 for none. A tenth of the
    training samples is then held out to measure that."""
    qat_drop: float = 0.5
    """Percentage points of accuracy on the held-out samples."""
    qat_rate: float = 1e-3
    """Adam's learning rate for it."""
    reference_epochs: int = 15
    reference_rate: float = 1e-3
    """Adam's learning rate for the reference network and the mapping layer."""
    warmup_epochs: int = 2
    """Epochs in which extractor and mapping layer learn to feed the frozen reference."""
    follow_rate: float = 0.05
    """SGD rate at which the mapping layer follows the changing features; 0 keeps it frozen."""
    attribution_every: int = 1
    """Attribution losses at every n-th step only, with n-fold weight; the mapping layer follows in
    every step, by an n-th of the batch."""
    attribution_batch: int = 0
    """Attributions of the first that many samples of each (shuffled) batch; 0 for all."""
    attribution_reuse: bool = False
    """Attribute by the task loss's own gradient instead of the reference's (see docs/training.md)."""
    stem: int = 4
    channels: int = 24
    server_stem: int = 16
    server_stages: Stages = MOBILENET_V2
    server_head: int = 1280
    reference_stages: tuple[tuple[str, int, int, int, int], ...] = (
        ("fused", 1, 24, 2, 1),
        ("fused", 4, 48, 2, 2),
        ("fused", 4, 64, 2, 2),
        ("mbconv", 4, 128, 3, 2),
    )
    """(kind, expansion, channels, repeats, stride) of the reference network's body."""
    reference_head: int = 256

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.attribution_every < 1:
            raise UsageError(f"attributions at every {self.attribution_every}-th step", "at least 1")
        for name in ("lambda_", "rho", "rho_slack", "split_ratio", "local_weight", "whole_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"the recipe's {name} is {getattr(self, name)}", "between 0 and 1")
        if not 2 <= self.centroids <= 32:
            raise UsageError(f"{self.centroids} centroids", "2 to 32")
        if not 0 < self.local_channels < self.channels:
            raise UsageError(
                f"a split ratio of {self.split_ratio} leaves one side without channels",
                f"both sides need at least one of the {self.channels}",
            )
        if not self.alpha < 1:
            raise UsageError(f"the recipe's alpha is {self.alpha}", "below 1; 0 lets training find it")
        if self.temperature <= 0 or self.distillation_temperature <= 0 or self.intervals < 1:
            raise UsageError("temperatures and intervals must be positive")
        self._check_payload()

    def _check_payload(self) -> None:
        """Raises UsageError where codec and what is trained for do not go together."""
        if self.progressive and self.codec == "lzw":
            raise UsageError(
                "codec 'lzw' cannot be read before the payload is whole, so it is not progressive",
                "take codec=range, huffman or none",
            )
        if self.rate_weight and self.codec not in ("range", "huffman"):
            raise UsageError(
                f"rate_weight trains for a coder with a table a channel, and codec {self.codec!r} has none",
                "take codec=range or huffman",
            )
        if self.rate_weight and self.attribution_reuse:
            raise UsageError(
                "attribution_reuse would take the rate's gradient for importance",
                "leave out one of rate_weight and attribution_reuse",
            )
        defaults = {item.name: item.default for item in fields(self)}
        for name, user in _USERS.items():
            if not getattr(self, user) and getattr(self, name) != defaults[name]:
                raise UsageError(f"nothing uses the recipe's {name}", f"set {user}, or leave {name} out")

    @property
    def local_channels(self) -> int:
        """k = round(split_ratio × channels)."""
        return round(self.split_ratio * self.channels)


def _stages(value: Any) -> tuple[tuple[Any, ...], ...]:
    """Rows of whole numbers, which a word may precede. Raises ValueError or TypeError."""
    rows = tuple(tuple(row) for row in (json.loads(value) if isinstance(value, str) else value))
    for row in rows:
        numbers = row[1:] if row and isinstance(row[0], str) else row
        if len(numbers) != 4 or not all(type(number) is int and number > 0 for number in numbers):
            raise ValueError(f"{row} is no stage")
        if numbers != row and row[0] not in get_args(BlockKind):
            raise ValueError(f"{row[0]} is no kind of block")
    return rows


def _value(name: str, given: Any, kind: Any) -> Any:
    """`given`, which may be text from a command line, as a value of type `kind`."""
    try:
        if get_origin(kind) is Literal:
            return _choice(name, given, get_args(kind))
        if kind is bool:
            return given if isinstance(given, bool) else {"true": True, "false": False}[str(given).lower()]
        if kind is int:
            return int(str(given))  # through text, so that 1.5 is refused rather than cut
        return float(given) if kind is float else _stages(given)
    except (KeyError, ValueError, TypeError):
        wanted = (
            kind.__name__ if isinstance(kind, type) else "rows like [[expansion, channels, repeats, stride]]"
        )
        raise UsageError(f"the recipe's {name} cannot be {given!r}", f"it takes {wanted}") from None


def _choice(name: str, given: Any, choices: tuple[str, ...]) -> str:
    if given not in choices:
        raise unknown_name(name, str(given), choices)
    return str(given)


def override(recipe: Recipe, changes: dict[str, Any]) -> Recipe:
    """`recipe` with `changes` by name, values as Python objects or text.

    Raises UsageError on an unknown name (listing the valid ones) or a value that does not fit.
    """
    kinds = get_type_hints(type(recipe))
    for name in changes:
        if name not in kinds:
            raise unknown_name("recipe setting", name, kinds)
    return replace(recipe, **{name: _value(name, value, kinds[name]) for name, value in changes.items()})


def as_json(recipe: Recipe) -> dict[str, Any]:
    """What a bundle keeps of `recipe`, as JSON would give it back.

    Settings that came later are left out at their defaults, so that recipes older than they are
    keep their fingerprints and give the same bundles, byte for byte.
    """
    later = _LATER | (_LATER_OF_AGILE if isinstance(recipe, AgileRecipe) else frozenset())
    plain = {
        item.name: getattr(recipe, item.name)
        for item in fields(recipe)
        if item.name not in later or getattr(recipe, item.name) != item.default
    }
    known: dict[str, Any] = json.loads(json.dumps(plain))
    return known


def fingerprint(*parts: Any) -> str:
    """16 hexadecimal digits that name `parts` (recipes, or anything JSON holds)."""
    plain = [as_json(part) if isinstance(part, Recipe) else part for part in parts]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
