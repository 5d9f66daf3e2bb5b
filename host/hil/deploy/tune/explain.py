"""The table behind a choice of kernels: what there was at every step, what it takes, and what was taken."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hil.deploy.cost import macs
from hil.deploy.program import Program, Sends
from hil.deploy.tune.code_place import Moved
from hil.deploy.tune.tuner import Tuned, place
from hil.errors import BundleError

FILE = "kernels.json"


@dataclass(frozen=True)
class Candidate:
    """One kernel at one place of the graph."""

    step: str
    """The ops that it computes, by name."""
    first: int
    """Number of its first op, from 0."""
    count: int
    kernel: str
    cycles: int | None
    """None where it was not measured: it does not fit in SRAM."""
    macs: int
    scratch_bytes: int
    code_bytes: int
    """Code generated for it; library functions that it calls are shared."""
    constant_bytes: int
    sends: str
    """`symbols` or `payload` where it makes those too, else `nothing`; see `hil.deploy.program.Sends`."""
    chosen: bool
    itcm_cycles: int | None = None
    """With its code in ITCM RAM, where it was put; `cycles` are those from flash."""

    @property
    def macs_per_cycle(self) -> float | None:
        """None for what multiplies nothing."""
        return self.macs / self.cycles if self.cycles and self.macs else None


def table(tuned: Tuned, program: Program, moved: Sequence[Moved] = ()) -> tuple[Candidate, ...]:
    """All candidates in the graph's order; behind them the firmware's quantiser and encoder."""
    graph, chosen = tuned.half.graph, {place(step) for step in program.steps}
    in_itcm = {place(program.steps[one.index]): one.cycles for one in moved}
    rows = []
    for trial in tuned.trials:
        where = place(trial.step)
        found = tuned.found.get(where)
        rows.append(
            Candidate(
                step=trial.title,
                first=trial.step.first,
                count=trial.step.count,
                kernel=trial.step.kernel.name,
                cycles=found.cycles if found else None,
                macs=sum(macs(graph, op) for op in trial.ops),
                scratch_bytes=trial.scratch_bytes,
                code_bytes=found.code_bytes if found else 0,
                constant_bytes=found.constant_bytes if found else 0,
                sends=trial.sends.value,
                chosen=where in chosen,
                itcm_cycles=in_itcm.get(where),
            )
        )
    return (*rows, *_tail(tuned, program))


def _tail(tuned: Tuned, program: Program) -> list[Candidate]:
    """Rows of what the firmware does after the graph, as far as no step has done it."""
    coder, tail, last = tuned.half.coder, tuned.tail, len(tuned.half.graph.ops)
    if tail is None or coder is None:
        return []
    encoder = f"hil_encode_{coder.wire.name.lower()}"
    quantises, encodes = program.sends is Sends.NOTHING, program.sends is not Sends.PAYLOAD
    no = Sends.NOTHING.value
    return [
        Candidate("quantise", last, 0, "hil_quantise", tail.quantise_cycles, 0, 0, 0, 0, no, quantises),
        Candidate(
            "encode", last + 1, 0, encoder, tail.encode_cycles, 0, coder.scratch_bytes, 0, 0, no, encodes
        ),
    ]


def as_values(rows: Sequence[Candidate]) -> list[dict[str, object]]:
    """For JSON."""
    return [asdict(row) | {"macs_per_cycle": row.macs_per_cycle} for row in rows]


def save(rows: Sequence[Candidate], folder: Path) -> None:
    """Writes the table beside the firmware that it explains."""
    (folder / FILE).write_text(json.dumps(as_values(rows), indent=1) + "\n")


def load(folder: Path) -> tuple[Candidate, ...]:
    """What `save` wrote. Raises BundleError when it is damaged."""
    try:
        rows = json.loads((folder / FILE).read_text())
        return tuple(
            Candidate(**{name: value for name, value in row.items() if name != "macs_per_cycle"})
            for row in rows
        )
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise BundleError(f"{folder / FILE} is damaged: {error}", "delete that folder") from None
