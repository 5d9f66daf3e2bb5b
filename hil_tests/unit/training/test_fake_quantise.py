"""Training sees the values that the device will compute with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hil.deploy.calibrate import observe
from hil.deploy.capture import capture, fold, trace
from hil.deploy.float_graph import FloatGraph, FloatOp
from hil.deploy.graph import Convolution, Dense, Tensor
from hil.deploy.interpret import interpret
from hil.deploy.quantise import activations, quantise
from hil.training.fake_quantise import evaluate, evaluate_op, on_grid, weights_on_grid
from hil_tests.unit.deploy.test_capture import EveryOperator, _settled

SCALES = st.floats(1e-4, 10.0)
SEEDS = st.integers(0, 2**32 - 1)


@given(SCALES, st.integers(-128, 127), SEEDS)
def test_activations_are_those_of_int8(scale: float, zero_point: int, seed: int) -> None:
    tensor = Tensor("x", (1, 1, 50), scale, zero_point)
    rng = np.random.default_rng(seed)
    halves = (rng.integers(-300, 300, 25) + 0.5) * scale
    real = np.concatenate([halves, rng.normal(0, 100 * scale, 25)])
    expected = (tensor.quantise(real).astype(float) - zero_point) * scale
    assert np.array_equal(on_grid(torch.from_numpy(real), tensor).numpy(), expected)


@settings(deadline=None)
@given(st.integers(1, 5), st.integers(1, 4), st.sampled_from([0.0, 1e-3, 1.0, 1e3]), SEEDS)
def test_weights_are_those_of_int8(outputs: int, inputs: int, spread: float, seed: int) -> None:
    weight = torch.from_numpy(np.random.default_rng(seed).normal(0, 1, (outputs, inputs, 3, 3)))
    weight[0] *= spread
    dense = weight[:, :, 0, 0]
    shapes = {"x": (1, 1, inputs), "y": (3, 3, outputs), "z": (1, 1, outputs)}
    ops = (
        FloatOp("convolution", "c", ("x",), "y", weight, kernel=(3, 3), padding=(2, 2)),
        FloatOp("dense", "d", ("x",), "z", dense),
    )
    graph = quantise(FloatGraph(ops, shapes, "x", ("z", "y")), dict.fromkeys(shapes, (-1.0, 1.0)), "z", "y")
    convolution, last = graph.ops
    assert isinstance(convolution, Convolution)
    assert isinstance(last, Dense)
    for real, values, each in (
        (weight.permute(0, 2, 3, 1), convolution.weights.values, True),
        (dense, last.weights.values, False),
    ):
        rounded, scales = weights_on_grid(real, per_channel=each)
        steps = rounded / scales.reshape(-1, *[1] * (real.dim() - 1))
        assert np.array_equal(np.rint(steps.numpy()), values)


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 3), st.integers(4, 8), st.integers(1, 4), st.integers(0, 99))
def test_a_network_answers_as_the_interpreter(channels: int, width: int, local: int, seed: int) -> None:
    torch.manual_seed(seed)
    captured = capture(_settled(EveryOperator(channels, width, local, 5), seed), (16, 16, channels))
    inputs = torch.randn(16, channels, 16, 16)
    hwc = inputs.permute(0, 2, 3, 1).numpy()
    ranges = observe(captured, hwc)
    graph = quantise(captured, ranges, *captured.outputs[:2])
    expected = interpret(graph, graph.tensor(graph.input).quantise(hwc))
    tensors = activations(captured, ranges)

    def away(name: str, found: torch.Tensor) -> NDArray[np.float64]:
        tensor = graph.tensor(name)
        steps = np.rint(found.permute(0, 2, 3, 1).numpy() / tensor.scale) + tensor.zero_point
        return np.abs(steps.reshape(expected[name].shape) - expected[name])

    def held(name: str) -> torch.Tensor:
        tensor = graph.tensor(name)
        real = (expected[name].astype(np.float64) - tensor.zero_point) * tensor.scale
        return torch.from_numpy(real).permute(0, 3, 1, 2)

    for op in captured.ops:
        # The device rounds a product twice.
        assert away(op.output, evaluate_op(op, [held(name) for name in op.inputs], tensors)).max() <= 1
    for name, values in evaluate(captured, tensors, inputs.double()).items():
        # Layers hand on, and may enlarge, what that makes of a near tie.
        assert np.mean(away(name, values) > 1) < 0.05, name
        assert away(name, values).mean() < 0.25, name


def test_gradients_pass_straight_through_but_for_what_is_saturated() -> None:
    values = torch.tensor([-9.0, -0.3, 0.2, 0.9, 9.0], requires_grad=True)
    on_grid(values, Tensor("x", (1, 1, 5), 2 / 255, 0)).sum().backward()
    assert values.grad is not None
    assert values.grad.tolist() == pytest.approx([0, 1, 1, 1, 0])


def test_gradients_reach_every_weight_through_the_folded_norms() -> None:
    torch.manual_seed(0)
    module = _settled(EveryOperator(2, 6, 3, 4), 0)
    program, inputs = trace(module, (16, 16, 2)), torch.randn(4, 2, 16, 16)
    ranges = observe(capture(module, (16, 16, 2)), inputs.permute(0, 2, 3, 1).numpy())
    graph = fold(program, {**dict(module.named_parameters()), **dict(module.named_buffers())})
    values = evaluate(graph, activations(graph, ranges), inputs)
    torch.stack([values[name].square().sum() for name in graph.outputs if name]).sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
