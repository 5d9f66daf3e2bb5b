"""Capture keeps what a network computes, and refuses what the int8 graph cannot express."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from hil.deploy.calibrate import observe
from hil.deploy.capture import capture
from hil.deploy.float_graph import evaluate
from hil.deploy.graph import Add, Clamp, Dense, Slice
from hil.deploy.interpret import interpret
from hil.deploy.quantise import quantise
from hil.errors import CaptureError


class EveryOperator(nn.Module):
    """All operators that the int8 graph knows, in one network."""

    def __init__(self, channels: int, width: int, local: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, width, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.depthwise = nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False)
        self.pointwise = nn.Conv2d(width, width, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.local = local
        self.dense = nn.Linear(local, classes)
        self.norm3 = nn.BatchNorm1d(classes)
        self.flat = nn.Linear(local * 16, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = F.relu6(self.norm(self.first(x)))
        y = F.relu(x + F.relu(self.norm2(self.pointwise(self.depthwise(x)))))
        y = F.max_pool2d(torch.clamp(F.pad(y, (1, 0, 0, 1)), 0.0, 4.0), 2, 1)
        y = F.avg_pool2d(y, 2)
        local = y[:, : self.local]
        return self.norm3(self.dense(local.mean((2, 3)))), y, self.flat(local.flatten(1))


def _settled(module: nn.Module, seed: int) -> nn.Module:
    """The module with batch-norm statistics that are not the trivial ones."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d | nn.BatchNorm1d):
            part.running_mean = torch.randn(part.num_features, generator=generator) * 0.2
            part.running_var = torch.rand(part.num_features, generator=generator) + 0.3
            nn.init.uniform_(part.weight, 0.5, 1.5, generator=generator)
            nn.init.uniform_(part.bias, -0.5, 0.5, generator=generator)
    return module.eval()


@settings(max_examples=5, deadline=None)
@given(st.integers(1, 3), st.integers(4, 8), st.integers(1, 4), st.integers(2, 10), st.integers(0, 99))
def test_a_captured_network_computes_what_the_module_does(
    channels: int, width: int, local: int, classes: int, seed: int
) -> None:
    torch.manual_seed(seed)
    module = _settled(EveryOperator(channels, width, local, classes), seed)
    graph = capture(module, (16, 16, channels))
    inputs = torch.randn(4, channels, 16, 16)
    with torch.no_grad():
        expected, values = module(inputs), evaluate(graph, inputs.double())
    for name, tensor in zip(graph.outputs, expected, strict=True):
        assert name is not None
        torch.testing.assert_close(values[name].reshape(tensor.shape).float(), tensor, atol=1e-4, rtol=1e-4)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 99))
def test_the_int8_graph_stays_close_to_the_float_network(seed: int) -> None:
    torch.manual_seed(seed)
    module = _settled(EveryOperator(2, 8, 3, 10), seed)
    captured = capture(module, (16, 16, 2))
    inputs = torch.randn(64, 2, 16, 16)
    hwc = inputs.permute(0, 2, 3, 1).numpy()
    graph = quantise(captured, observe(captured, hwc), captured.outputs[0], captured.outputs[1])
    values = interpret(graph, graph.tensor(graph.input).quantise(hwc))
    with torch.no_grad():
        expected = module(inputs)
    for name, tensor in zip(captured.outputs[:2], expected[:2], strict=True):
        assert name is not None
        output = graph.tensor(name)
        real = (values[name].astype(float) - output.zero_point) * output.scale
        want = tensor.reshape(len(inputs), output.shape[2], *output.shape[:2]).permute(0, 2, 3, 1).numpy()
        assert abs(real - want).mean() < 3 * output.scale


def test_batch_norms_and_activations_leave_no_ops_of_their_own() -> None:
    graph = capture(_settled(EveryOperator(1, 4, 2, 3), 0), (16, 16, 1))
    kinds = [op.kind for op in graph.ops]
    assert kinds.count("clamp") == 1, "only the clamp behind a pad stands alone"
    assert [op.name for op in graph.ops][:3] == ["first", "depthwise", "pointwise"]


@pytest.mark.parametrize(
    ("module", "shape", "message"),
    [
        (nn.Sigmoid(), (4, 4, 1), "aten.sigmoid"),
        (nn.Conv2d(4, 4, 3, dilation=2), (8, 8, 4), "dilation"),
        (nn.Conv2d(4, 8, 3, groups=2), (8, 8, 4), "2 groups"),
        (nn.BatchNorm2d(4), (8, 8, 4), "does not follow"),
        (nn.AvgPool2d(3, padding=1), (8, 8, 1), "counts the padding"),
        (nn.AdaptiveAvgPool2d(2), (8, 8, 1), "pools to"),
        (nn.Threshold(0.5, 0.0), (4, 4, 1), "aten.threshold"),
        (nn.PixelShuffle(2), (4, 4, 4), "aten.pixel_shuffle"),
    ],
)
def test_what_the_int8_graph_cannot_express_is_refused(
    module: nn.Module, shape: tuple[int, int, int], message: str
) -> None:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = module

        def forward(self, x: Tensor) -> tuple[Tensor, ...]:
            out = self.inner(x)
            return out if isinstance(out, tuple) else (out,)

    with pytest.raises(CaptureError, match=message):
        capture(Wrapped(), shape)


def test_every_kind_of_op_reaches_the_int8_graph() -> None:
    captured = capture(_settled(EveryOperator(1, 4, 2, 3), 0), (16, 16, 1))
    samples = torch.randn(8, 16, 16, 1).numpy()
    graph = quantise(captured, observe(captured, samples), *captured.outputs[:2])
    assert {Add, Clamp, Dense, Slice} <= {type(op) for op in graph.ops}
