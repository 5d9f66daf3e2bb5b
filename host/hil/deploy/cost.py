"""What each op costs: scratch bytes of the kernels (DSP build), multiply-accumulates, kernel names."""

from __future__ import annotations

from hil.deploy.graph import (
    Add,
    AveragePool,
    Clamp,
    Convolution,
    Dense,
    DepthwiseConvolution,
    Graph,
    MaxPool,
    Op,
    Pad,
    Slice,
)

KERNELS: dict[type[Op], str] = {
    Convolution: "arm_convolve_wrapper_s8",
    DepthwiseConvolution: "arm_depthwise_conv_wrapper_s8",
    Dense: "arm_fully_connected_s8",
    AveragePool: "arm_avgpool_s8",
    MaxPool: "arm_max_pool_s8",
    Add: "arm_elementwise_add_s8",
    Pad: "hil_pad_s8",
    Clamp: "hil_clamp_s8",
    Slice: "hil_slice_channels_s8",
}


def scratch_bytes(graph: Graph, op: Op) -> int:
    """As the kernels' `*_get_buffer_size` return on a core with the DSP extension."""
    channels = graph.tensor(op.inputs[0]).shape[2]
    if isinstance(op, Convolution):
        if op.kernel == (1, 1) and op.padding == (0, 0):
            return 0
        column = op.kernel[0] * op.kernel[1] * channels
        return 2 * 2 * (column + -column % 4)
    if isinstance(op, DepthwiseConvolution):
        direct = op.kernel == (3, 3) and max(op.padding) <= 1
        return 0 if op.channel_multiplier != 1 or direct else 2 * channels * op.kernel[0] * op.kernel[1]
    if isinstance(op, AveragePool):
        return 4 * channels
    return 0


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
