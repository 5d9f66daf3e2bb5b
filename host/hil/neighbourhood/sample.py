"""Which instances of a question are asked: instance i of a seed is the same however many are asked."""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np

from hil.neighbourhood.parameter import Value
from hil.neighbourhood.template import Template

_FEW_SHARE: Final = 0.25
"""Instances in which all but one or two parameters are at rest: what fails there needs no shrinking."""
_TRIES: Final = 2000


def instance(template: Template, seed: int, index: int) -> dict[str, Value]:
    """Instance number `index`. Number 0 is the simplest of all.

    Raises ValueError where a template refuses nearly every combination of its values.
    """
    random = np.random.default_rng([seed, zlib.crc32(template.name.encode()), index])
    for _ in range(_TRIES):
        drawn = _draw(template, random, index)
        if template.fits(drawn):
            return drawn
    raise ValueError(f"template {template.name!r} refuses {_TRIES} drawn instances in a row")


def _draw(template: Template, random: np.random.Generator, index: int) -> dict[str, Value]:
    drawn = {parameter.name: parameter.draw(random) for parameter in template.parameters}
    varying = [parameter for parameter in template.parameters if parameter.varies]
    if index == 0:
        kept: set[str] = set()
    elif varying and random.random() < _FEW_SHARE:
        count = min(len(varying), int(random.integers(1, 3)))
        kept = {varying[i].name for i in random.choice(len(varying), count, replace=False)}
    else:
        return drawn
    at_rest = {parameter.name: parameter.simplest for parameter in varying if parameter.name not in kept}
    return drawn | at_rest
