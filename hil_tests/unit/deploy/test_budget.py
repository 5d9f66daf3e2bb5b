"""A network that cannot fit is refused before the build, naming the layer that breaks the budget."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from hil.boards.protocol import BoardInfo
from hil.deploy import budget
from hil.deploy.graph import Convolution, Graph, Tensor, Weights
from hil.deploy.lower import plain
from hil.deploy.plan import buffers_of, plan
from hil.deploy.program import DeviceHalf
from hil.errors import DoesNotFitError
from hil.measure.source import Source

BOARD = BoardInfo("twin", "", "disco_f746g", 1 << 20, 320 << 10, True, Source.TWIN_INSTRUCTIONS, 921_600)


def _chain(side: int, widths: list[int]) -> Graph:
    """Pointwise convolutions from each width to the next, on a side × side map."""
    tensors = {f"t{i}": Tensor(f"t{i}", (side, side, c), 0.1, 0) for i, c in enumerate(widths)}
    ops = []
    for index, (c, out) in enumerate(itertools.pairwise(widths)):
        zeros = np.zeros(out, dtype=np.int32)
        weights = Weights(
            values=np.zeros((out, 1, 1, c), dtype=np.int8), bias=zeros, multiplier=zeros, shift=zeros
        )
        ops.append(
            Convolution(
                name=f"pointwise{index}",
                inputs=(f"t{index}",),
                output=f"t{index + 1}",
                weights=weights,
                kernel=(1, 1),
                stride=(1, 1),
                padding=(0, 0),
            )
        )
    return Graph(tensors, tuple(ops), "t0", None, f"t{len(widths) - 1}")


def _check(graph: Graph) -> None:
    program = plain(DeviceHalf(graph))
    budget.check(program, plan(buffers_of(program)), BOARD)


def test_a_small_network_fits() -> None:
    _check(_chain(32, [3, 16, 24]))


def test_the_layer_whose_weights_overflow_the_flash_is_named() -> None:
    with pytest.raises(DoesNotFitError, match="'pointwise1' brings the weights to") as caught:
        _check(_chain(1, [600, 600, 1200, 8]))
    assert caught.value.exit_code == 2


def test_the_layer_whose_maps_overflow_the_ram_is_named() -> None:
    with pytest.raises(DoesNotFitError, match="'pointwise1' needs an arena of"):
        _check(_chain(96, [3, 16, 24, 2]))
