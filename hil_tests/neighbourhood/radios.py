"""The radio's model over bytes, loss, bandwidth and outages: what must be true of any way of a message."""

from __future__ import annotations

from dataclasses import replace

from hil.link.losses import shortest_burst
from hil.link.outage import Outage
from hil.link.radio import Direction, Radio, Ready, Transfer
from hil.neighbourhood.parameter import Choice, Data, Parameters, Whole
from hil.neighbourhood.template import Template, each
from hil_tests.neighbourhood.layers import random_of, whole

ROOMS = ("link",)
SOURCES = ("hil_tests/neighbourhood/layers.py",)
NEAR = 1e-9


def radio_of(parameters: Parameters) -> Radio:
    """The radio that was asked for."""
    loss = whole(parameters, "loss") / 100
    burst = {"none": None, "shortest": shortest_burst(loss) if loss < 1 else None, "long": 6.0}[
        str(parameters["burst"])
    ]
    return Radio(
        "any",
        bandwidth_bps=whole(parameters, "kbps") * 1e3,
        latency_s=whole(parameters, "latency") / 1e3,
        jitter_s=whole(parameters, "jitter") / 1e3,
        loss=loss,
        burst=burst,
        mtu_bytes=whole(parameters, "mtu"),
        overhead_bytes=whole(parameters, "overhead"),
        tries=whole(parameters, "tries"),
        timeout_s=whole(parameters, "timeout") / 1e3,
    )


def _fits(parameters: Parameters) -> bool:
    loss = whole(parameters, "loss") / 100
    if parameters["burst"] == "none":
        return True
    return 0 < loss < 1 and (parameters["burst"] == "shortest" or shortest_burst(loss) <= 6)


def _sent(
    radio: Radio, parameters: Parameters, count: int, direction: Direction = Direction.UPLINK
) -> Transfer:
    return radio.transfer(
        count, direction, seed=whole(parameters, "data"), sample=whole(parameters, "sample")
    )


def _transfer(parameters: Parameters) -> str:
    radio, count = radio_of(parameters), whole(parameters, "bytes")
    for direction in Direction:
        sent = _sent(radio, parameters, count, direction)
        if sent != _sent(radio, parameters, count, direction):
            return "the same transfer is another the second time"
        if detail := _sums(radio, sent, count) or _arrivals(radio, sent, count):
            return f"{direction.name}: {detail}"
    return _monotone(radio, parameters, count) or _stopped(radio, parameters, count)


def _sums(radio: Radio, sent: Transfer, count: int) -> str:
    """Time and airtime follow from the tries of every packet."""
    full, rest = divmod(count, radio.mtu_bytes)
    sizes = [radio.mtu_bytes + radio.overhead_bytes] * full + [rest + radio.overhead_bytes] * (rest > 0)
    if not sent.lost and sent.packets != len(sizes):
        return f"{sent.packets} packets of {len(sizes)} for {count} bytes"
    before, airtime, waited = 0, 0.0, 0.0
    for size, arrival in zip(sizes, sent.arrivals, strict=False):
        again = arrival.retransmissions - before
        before = arrival.retransmissions
        airtime += (again + 1) * 8 * size / radio.bandwidth_bps
        waited += again * radio.timeout_s
        if not 0 <= again < radio.tries:
            return f"a packet that came was sent {again + 1} times of {radio.tries}"
    if sent.lost:
        airtime += radio.tries * 8 * sizes[len(sent.arrivals)] / radio.bandwidth_bps
        waited += radio.tries * radio.timeout_s
    seconds = sent.latency_s + airtime + waited
    if (
        abs(airtime - sent.airtime_s) > NEAR + 1e-9 * airtime
        or abs(seconds - sent.seconds) > NEAR + 1e-9 * seconds
    ):
        ours = f"{sent.seconds} s and {sent.airtime_s} s on the air"
        return f"{ours}, where the tries make {seconds} and {airtime}"
    if abs(sent.latency_s - radio.latency_s) > radio.jitter_s + NEAR or sent.latency_s < 0:
        return f"a latency of {sent.latency_s} s"
    least = radio.undisturbed_s(count)
    if not sent.lost and not sent.retransmissions and sent.seconds > least + NEAR:
        return f"undisturbed it takes {sent.seconds} s, more than the longest of {least}"
    return ""


def _arrivals(radio: Radio, sent: Transfer, count: int) -> str:
    """Packets arrive in order, and with the last of them the message."""
    times = [arrival.seconds for arrival in sent.arrivals]
    sizes = [arrival.message_bytes for arrival in sent.arrivals]
    if times != sorted(times) or sizes != sorted(set(sizes)):
        return "packets arrive out of order"
    if not sent.lost and count and (sizes[-1] != count or abs(times[-1] - sent.seconds) > NEAR):
        return "the last packet's arrival is not the message's"
    if sent.lost and sizes and sizes[-1] >= count:
        return "all of a lost message arrived"
    for arrival in sent.arrivals:
        if (
            sent.arrived(arrival.seconds) < arrival.message_bytes
            or sent.arrived(arrival.seconds - 1e-6) > arrival.message_bytes
        ):
            return "`arrived` does not count whole packets"
    return ""


def _monotone(radio: Radio, parameters: Parameters, count: int) -> str:
    """More bytes, less bandwidth and more losses never make it faster. Bursts are another channel."""
    plain = replace(radio, burst=None)
    sent = _sent(plain, parameters, count)
    more = _sent(plain, parameters, count + 1 + count // 3)
    slower = _sent(replace(plain, bandwidth_bps=plain.bandwidth_bps / 1.7), parameters, count)
    worse = _sent(replace(plain, loss=min(1.0, plain.loss + 0.07)), parameters, count)
    if sent.lost and not (more.lost and slower.lost and worse.lost):
        return "a message that is lost comes through where it is longer, slower or lost more often"
    for name, other in (("more bytes", more), ("less bandwidth", slower), ("more losses", worse)):
        if not sent.lost and not other.lost and other.seconds < sent.seconds - NEAR:
            return f"with {name} it takes {other.seconds} s, less than {sent.seconds}"
    return ""


def _stopped(radio: Radio, parameters: Parameters, count: int) -> str:
    """A sender that stops has sent no more than what was on the air by then."""
    sent = _sent(radio, parameters, count)
    for share in (0.0, 0.1, 0.5, 0.9, 1.0, 2.0):
        after = share * sent.seconds
        cut = sent.stopped(after)
        if cut.airtime_s > min(sent.airtime_s, after) + NEAR and cut is not sent:
            return f"stopped after {after} s it was {cut.airtime_s} s on the air"
        if (
            cut.packets > sent.packets
            or cut.retransmissions > sent.retransmissions
            or cut.seconds > sent.seconds + NEAR
        ):
            return f"stopped after {after} s it sent more than it would have"
        if cut.arrived(1e9) > sent.arrived(after + sent.latency_s):
            return f"stopped after {after} s more arrived than had left"
    return ""


def _parts(parameters: Parameters) -> str:
    """A message that is ready part by part arrives no sooner than its parts, nor than the whole would."""
    radio, count = radio_of({**parameters, "loss": 0, "burst": "none"}), whole(parameters, "bytes")
    random = random_of(parameters)
    cuts = sorted({*random.integers(1, count + 1, whole(parameters, "parts")).tolist(), count})
    times = sorted((random.random(len(cuts)) * whole(parameters, "spread") / 1e3).tolist())
    parts = [Ready(cut, seconds) for cut, seconds in zip(cuts, times, strict=True)]
    seed, sample = whole(parameters, "data"), whole(parameters, "sample")
    sent = radio.transfer(count, Direction.UPLINK, seed=seed, sample=sample, ready=parts)
    at, start, want = 0.0, 0, []
    for part in parts:
        for size in radio.packet_sizes(part.message_bytes - start):
            at = max(at, part.seconds) + 8 * size / radio.bandwidth_bps
            want.append(at + sent.latency_s)
        start = part.message_bytes
    got = [arrival.seconds for arrival in sent.arrivals]
    if len(got) != len(want) or any(abs(a - b) > NEAR for a, b in zip(got, want, strict=True)):
        return f"packets arrive at {got[:4]}, not at {want[:4]}"
    if sent.lost or abs(sent.seconds - want[-1]) > NEAR:
        return "the message ends at another time than its last packet"
    alone = radio.transfer(count, Direction.UPLINK, seed=seed, sample=sample)
    early = alone.seconds > sent.seconds + NEAR
    return f"{sent.seconds} s in parts, {alone.seconds} s as a whole" if early else ""


def _outage(parameters: Parameters) -> str:
    """Exactly the samples of the outage are lost that would not be lost without it."""
    count, shares = whole(parameters, "samples"), parameters["unit"] == "shares"
    begin, length = whole(parameters, "begin"), whole(parameters, "length")
    outage = Outage(begin / 100, length / 100, True) if shares else Outage(begin, length, False)
    plain = radio_of({**parameters, "burst": "none"})
    radio = replace(plain, outage=outage).for_run(count)
    hit = [i for i in range(count) if shares and begin * count < 100 * i + 50 <= (begin + length) * count]
    hit = hit if shares else [i for i in range(count) if begin <= i < begin + length]
    if not hit:
        hit = [min(count - 1, (begin * count + 50) // 100)]
    for sample in range(count):
        ours = radio.transfer(300, Direction.UPLINK, seed=whole(parameters, "data"), sample=sample)
        alone = plain.transfer(300, Direction.UPLINK, seed=whole(parameters, "data"), sample=sample)
        if sample in hit and not ours.lost:
            return f"sample {sample} of the outage {hit[0]} to {hit[-1]} gets through"
        if sample not in hit and ours != alone:
            return f"sample {sample} outside the outage {hit[0]} to {hit[-1]} is not as without"
    return ""


def _outage_fits(parameters: Parameters) -> bool:
    begin, length, count = (whole(parameters, name) for name in ("begin", "length", "samples"))
    return begin + length <= 100 if parameters["unit"] == "shares" else begin < count


LINK = (
    Whole("kbps", 1, 20_000, (270, 6000), 6000),
    Whole("latency", 0, 100),
    Whole("jitter", 0, 50),
    Whole("loss", 0, 100, (5, 50)),
    Choice("burst", ("none", "shortest", "long")),
    Whole("mtu", 1, 1500, (2, 244, 1460), 1460),
    Whole("overhead", 0, 100),
    Whole("tries", 1, 10, at_rest=8),
    Whole("timeout", 0, 20),
    Whole("sample", 0, 1000),
    Data(),
)
BYTES = Whole("bytes", 1, 6000, (2, 244, 245, 1460, 1461, 2920))

TEMPLATES = (
    Template(
        "radio",
        "Does a message take what its packets and tries take, and never less on a worse link?",
        (BYTES, *LINK),
        each(_transfer),
        "the sums over the tries of every packet, and orders between links",
        ROOMS,
        fits=_fits,
        batch=200,
        full=1500,
        sample=80,
        sources=SOURCES,
    ),
    Template(
        "radio-parts",
        "Does a message that is ready part by part arrive when its parts allow?",
        (
            BYTES,
            Whole("parts", 1, 12),
            Whole("spread", 0, 200),
            *(each for each in LINK if each.name not in ("loss", "burst")),
        ),
        each(_parts),
        "packets put one behind the other",
        ROOMS,
        batch=200,
        full=800,
        sample=60,
        sources=SOURCES,
    ),
    Template(
        "outage",
        "Does an outage lose just the samples that it says?",
        (
            Choice("unit", ("samples", "shares")),
            Whole("samples", 1, 60, (2, 3, 10)),
            Whole("begin", 0, 100),
            Whole("length", 1, 100),
            *(each for each in LINK if each.name not in ("burst", "sample")),
        ),
        each(_outage),
        "which samples have their middle in it",
        ROOMS,
        fits=_outage_fits,
        batch=100,
        full=500,
        sample=40,
        sources=SOURCES,
    ),
)
