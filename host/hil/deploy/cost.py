"""What each op costs: multiply-accumulates, and flash for its constants."""

from __future__ import annotations

from hil.deploy.graph import Convolution, Dense, DepthwiseConvolution, Graph, Op, Window


def macs(graph: Graph, op: Op) -> int:
    """Multiply-accumulates of convolutions and dense layers; 0 for the rest."""
    output = graph.tensor(op.output)
    if isinstance(op, Convolution):
        return output.elements * op.kernel[0] * op.kernel[1] * graph.tensor(op.inputs[0]).shape[2]
    if isinstance(op, DepthwiseConvolution):
        return output.elements * op.kernel[0] * op.kernel[1]
    if isinstance(op, Dense):
        return int(op.weights.values.size)
    return 0


def read_bytes(graph: Graph, op: Op, name: str) -> int:
    """Bytes of tensor `name` that `op` reads, those that it reads again counted again; 0 if none."""
    if name not in op.inputs:
        return 0
    source, output = graph.tensor(name), graph.tensor(op.output)
    if not isinstance(op, Window):
        return source.elements
    return output.shape[0] * output.shape[1] * op.kernel[0] * op.kernel[1] * source.shape[2]


def weight_bytes(op: Op) -> int:
    """Flash taken by the op's constants."""
    if not isinstance(op, Convolution | DepthwiseConvolution | Dense):
        return 0
    w = op.weights
    per_channel = 0 if isinstance(op, Dense) else w.multiplier.nbytes + w.shift.nbytes
    return int(w.values.nbytes + w.bias.nbytes + per_channel)
