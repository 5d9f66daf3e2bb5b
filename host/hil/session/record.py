"""From one exchange to one record: latency, energy, and whether the device computed what it should."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hil.deploy.deployment import Fusion, Reference
from hil.deploy.fuse import fuse
from hil.link.radio import Transfer
from hil.measure.energy import Activity, Energy, EnergyModel
from hil.measure.latency import latency_parts
from hil.session.events import SampleRecord
from hil.session.exchange import Exchange
from hil.session.timeline import timeline_of
from hil.wire.protocol import FallbackReason, Outcome
from hil.wire.to_host import Result


@dataclass(frozen=True)
class Place:
    """Which sample it is."""

    index: int
    sample: int
    label: int
    float_prediction: int | None


def agrees(exchange: Exchange, reference: Reference, fusion: Fusion | None) -> bool:
    """Whether local logits, payload, fused logits and prediction are the reference's, bit for bit.

    So must be the device's decision to answer alone, or not to.
    """
    result = exchange.result
    if result is None:
        return False
    local = () if reference.logits is None else tuple(int(logit) for logit in reference.logits.ravel())
    if result.local != local or (result.outcome is Outcome.LOCAL) != reference.stays:
        return False
    if exchange.payload is not None and exchange.payload != reference.payload:
        return False
    return follows(exchange, fusion)


def follows(exchange: Exchange, fusion: Fusion | None) -> bool:
    """Whether the answer follows from the device's own logits and the reply that was sent to it.

    For that no reference is needed. Where it does not, the reply was altered on its way, or what came of it.
    """
    result = exchange.result
    if result is None:
        return False
    if result.outcome is not Outcome.ANSWERED:
        return not result.local or result.prediction == int(np.argmax(result.local))
    if exchange.reply is None:
        return False
    remote = exchange.reply.logits
    if fusion is None:
        return result.prediction == int(np.argmax(remote))
    fused = fuse(fusion, result.local, remote)
    return result.fused == fused and result.prediction == int(np.argmax(fused))


DEVICE_FAILED = "the device failed"
"""The reason of a sample that the device could not compute or encode."""


def is_doubtful(record: SampleRecord) -> bool:
    """Whether the device computed something else than it should, or could not compute at all."""
    return record.agrees is False or record.reason == DEVICE_FAILED


def failed_record(place: Place, reason: str, wire_retransmissions: int) -> SampleRecord:
    """A sample that ended without an answer."""
    return SampleRecord(
        place.index,
        place.sample,
        place.label,
        "failed",
        reason,
        float_prediction=place.float_prediction,
        wire_retransmissions=wire_retransmissions,
    )


def make_record(
    place: Place,
    exchange: Exchange,
    clock_hz: int,
    energy: EnergyModel | None,
    agreement: bool | None,
    host_retransmissions: int,
) -> SampleRecord:
    """The record of a complete exchange. `host_retransmissions` are the host's, the device adds its own.

    A sample that failed for want of a reply has cost what any other costs; one that the device could not
    compute or encode has no complete cycles to model an energy from.
    """
    result = exchange.result
    assert result is not None
    wire = host_retransmissions + result.retransmissions
    spent = energy_of(exchange, result, clock_hz, energy)
    transfers = [transfer for transfer in (sent(exchange, result, clock_hz), exchange.downlink) if transfer]
    radio_retransmissions = sum(transfer.retransmissions for transfer in transfers)
    if result.outcome is Outcome.FAILED:
        waited = result.reason is not FallbackReason.NONE
        return replace(
            failed_record(place, reason_of(exchange, result), wire),
            energy_mj=spent.parts if spent and waited else None,
            energy_detail=spent.detail if spent and waited else None,
            radio_retransmissions=radio_retransmissions,
        )
    remote_s = exchange.remote_s if result.outcome is Outcome.ANSWERED else 0.0
    return SampleRecord(
        place.index,
        place.sample,
        place.label,
        result.outcome.name.lower(),
        reason_of(exchange, result),
        prediction=result.prediction,
        float_prediction=place.float_prediction,
        latency_ms=latency_parts(result.cycles, clock_hz, remote_s),
        energy_mj=spent.parts if spent else None,
        energy_detail=spent.detail if spent else None,
        cycles=result.cycles,
        payload_bytes=result.payload_bytes,
        prefix_channels=exchange.prefix_channels if result.outcome is Outcome.ANSWERED else 0,
        unauthentic_replies=result.unauthentic,
        agrees=agreement,
        wire_retransmissions=wire,
        radio_retransmissions=radio_retransmissions,
        stack_peak_bytes=result.stack_peak_bytes,
        timeline=timeline_of(exchange, result.cycles, clock_hz),
    )


def energy_of(exchange: Exchange, result: Result, clock_hz: int, model: EnergyModel | None) -> Energy | None:
    """What the inference cost; from the board's own counts where it keeps them."""
    return model.energy(activity(exchange, result, clock_hz), exchange.usage) if model else None


def activity(exchange: Exchange, result: Result, clock_hz: int) -> Activity:
    """How long core and radio were busy. The radio receives only what still reached the device."""
    cycles = result.cycles
    stages = ("graph", "quantise", "encode", "frame", "fuse")
    up, received = sent(exchange, result, clock_hz), exchange.downlink
    heard = exchange.downlink is not None and result.reason is not FallbackReason.DEADLINE
    return Activity(
        {stage: getattr(cycles, stage) / clock_hz for stage in stages},
        wait_s=cycles.wait / clock_hz,
        tx_s=up.airtime_s if up else 0.0,
        rx_s=received.airtime_s if received and heard else 0.0,
        tx_packets=up.packets + up.retransmissions if up else 0,
        rx_packets=received.packets + received.retransmissions if received and heard else 0,
        overlap_s=cycles.overlap / clock_hz,
    )


def sent(exchange: Exchange, result: Result, clock_hz: int) -> Transfer | None:
    """The payload's way, as far as the device waited: after its deadline its radio repeats nothing more."""
    waited_s = (result.cycles.overlap + result.cycles.wait) / clock_hz
    late = result.reason in (FallbackReason.DEADLINE, FallbackReason.UNAUTHENTIC)
    return exchange.uplink.stopped(waited_s) if exchange.uplink and late else exchange.uplink


def reason_of(exchange: Exchange, result: Result) -> str:
    """Why the answer is not the fused one; empty when it is, or when the device chose to answer alone."""
    if result.reason is FallbackReason.NONE:
        return DEVICE_FAILED if result.outcome is Outcome.FAILED else ""
    reason = result.reason.name.lower().replace("_", " ")
    if exchange.uplink is not None and exchange.uplink.lost and not exchange.prefix_channels:
        return f"{reason}: the radio lost the payload"
    if exchange.downlink is not None and exchange.downlink.lost:
        return f"{reason}: the radio lost the reply"
    return f"{reason}: {exchange.remote_detail}" if exchange.remote_detail else reason
