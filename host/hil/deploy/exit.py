"""The exit rule: whether the local answer's top-1 softmax is high enough to send nothing.

The paper of SPINN (Laskaridis et al., MobiCom 2020) has softmax ≥ threshold. The greatest softmax is one
over Σ exp(logit − best), so the rule is Σ exp(logit − best) ≤ 1 / threshold, and a difference of two
int8 logits has 256 values: the device needs a table and a sum, mcu/runtime/exit.c.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.deploy.deployment import ExitRule
from hil.deploy.graph import Tensor
from hil.errors import BundleError

FRACTION_BITS = 24
CLASSES_MAX = 255
"""The sum over so many classes still fits 32 bits."""


def make_exit(confidence: float, logits: Tensor) -> ExitRule:
    """The rule for int8 `logits` and a top-1 softmax of at least `confidence`, above 0 and at most 1.

    Raises BundleError where the rule cannot be computed on the device.
    """
    if not 0 < confidence <= 1:
        raise BundleError(f"an exit confidence of {confidence}", "above 0, and at most 1")
    if logits.elements > CLASSES_MAX:
        raise BundleError(f"an exit rule over {logits.elements} classes", f"at most {CLASSES_MAX}")
    steps = np.arange(256)
    exponentials = np.rint(np.exp(-steps * logits.scale) * (1 << FRACTION_BITS)).astype(np.uint32)
    return ExitRule(exponentials, int(min((1 << FRACTION_BITS) / confidence, (1 << 32) - 1)))


def exits(rule: ExitRule, logits: NDArray[np.int8]) -> bool:
    """Whether the answer with `logits` (classes,) stands, bit for bit as the device decides."""
    return bool(stands(rule, logits.reshape(1, -1))[0])


def stands(rule: ExitRule, logits: NDArray[np.int8]) -> NDArray[np.bool_]:
    """`exits` of a batch of logits (N, classes): (N,)."""
    steps = logits.astype(np.int64)
    below = steps.max(axis=1, keepdims=True) - steps
    return np.asarray(rule.exponentials[below].sum(axis=1, dtype=np.int64) <= rule.limit)
