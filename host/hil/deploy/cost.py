"""What each op costs: multiply-accumulates, and flash for its constants."""

from __future__ import annotations

from hil.deploy.graph import Convolution, Dense, DepthwiseConvolution, Graph, Op


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


def weight_bytes(op: Op) -> int:
    """Flash taken by the op's constants."""
    if not isinstance(op, Convolution | DepthwiseConvolution | Dense):
        return 0
    w = op.weights
    per_channel = 0 if isinstance(op, Dense) else w.multiplier.nbytes + w.shift.nbytes
    return int(w.values.nbytes + w.bias.nbytes + per_channel)
