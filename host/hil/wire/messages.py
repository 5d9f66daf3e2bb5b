"""Which message a frame's type announces."""

from __future__ import annotations

from hil.wire.body import Message
from hil.wire.protocol import FrameType
from hil.wire.to_device import Check, Configure, Hello, Input, Reply, Run
from hil.wire.to_host import Capability, Checked, Fault, Layers, Payload, Reject, Result, Started

MESSAGES: dict[FrameType, type[Message]] = {
    kind.frame_type: kind
    for kind in (
        Hello, Configure, Input, Run, Reply, Check, Capability, Payload, Result, Layers, Reject, Fault,
        Checked, Started,
    )
}  # fmt: skip
