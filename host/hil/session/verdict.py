"""Whether a run's figures may be compared with others': the issues found at its end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hil.measure.latency import TOLERANCE, unaccounted
from hil.session.bus import Issue
from hil.session.events import SampleRecord

INVALIDATING = frozenset(
    {
        "partial", "failed-samples", "latency-sum", "disagreement", "server-lost", "device-lost",
        "firmware-damaged", "sensor-stuck",
    }
)  # fmt: skip
"""Issues that make a run invalid; all others are remarks."""


def verdict(records: Sequence[SampleRecord], interruption: str | None) -> list[Issue]:
    """The issues of the records as a whole. `interruption` says why a run is partial."""
    found = [_partial(len(records), interruption), _failed(records), _sums(records), _agreement(records)]
    return [issue for issue in found if issue is not None]


def is_valid(issues: Iterable[Issue]) -> bool:
    return not any(issue.code in INVALIDATING for issue in issues)


def _partial(done: int, interruption: str | None) -> Issue | None:
    if interruption is None:
        return None
    return Issue("partial", f"the run ended early, after {done} samples: {interruption}", "run it again")


def _failed(records: Sequence[SampleRecord]) -> Issue | None:
    failed = [record for record in records if record.outcome == "failed"]
    if not failed:
        return None
    first = f"the first: {failed[0].reason}"
    return Issue(
        "failed-samples", f"{len(failed)} of {len(records)} samples failed, {first}", "see samples.csv"
    )


def _sums(records: Sequence[SampleRecord]) -> Issue | None:
    shares = [unaccounted(record.latency_ms) for record in records if record.latency_ms]
    beyond = [share for share in shares if share > TOLERANCE]
    if not beyond:
        return None
    return Issue(
        "latency-sum",
        f"in {len(beyond)} samples local + link + remote + fuse differs from the total by up to "
        f"{max(beyond):.1%}",
        "the firmware's stages do not cover its whole time",
    )


def _agreement(records: Sequence[SampleRecord]) -> Issue | None:
    checked = [record.agrees for record in records if record.agrees is not None]
    wrong = checked.count(False)
    if not wrong:
        return None
    return Issue(
        "disagreement",
        f"{wrong} of {len(checked)} samples differ from the bit-exact host reference",
        "a kernel, the codec or the fusion computes something else than the graph says",
    )
