"""Many runs with faults of every kind, judged, kept run by run, and added up."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from hil.errors import SessionError
from hil.faults.kind import Kind, Layer
from hil.faults.left import wrong_folders
from hil.faults.outcome import NEVER, Outcome
from hil.faults.places import Places, planned
from hil.faults.registry import KINDS
from hil.faults.trial import Trial, trial
from hil.faults.truth import truths
from hil.paths import cache_dir
from hil.pipeline import Request, resolve
from hil.session.options import RunOptions
from hil.zoo import shelf

SCHEMES: Final = ("agilenn", "spinn", "agilenn", "deepcod", "agilenn", "mcunet", "agilenn", "edge_only")
"""Whose turn it is, run after run; a fault of what a scheme lacks passes it over."""
USUAL: Final = {Layer.LINK: 700, Layer.SERVER: 100, Layer.DEVICE: 100, Layer.HOST: 20}
"""How often a kind is injected where it does not say."""
BARREN_MAX: Final = 4
"""Runs in a row in which a kind did not take place once: then it is given up."""
_LOCAL_ONLY: Final = "mcunet"

Progress = Callable[[str, int, int], None]
"""A kind, how often it was injected, and how often it shall be."""


@dataclass(frozen=True)
class Cell:
    """One run."""

    kind: str
    order: str
    scheme: str
    seed: int
    samples: int

    @property
    def key(self) -> str:
        return f"{self.order} {self.scheme} {self.seed} {self.samples}"


@dataclass(frozen=True)
class Found:
    """What one run brought, JSON-ready."""

    key: str
    kind: str
    injected: int
    outcomes: dict[str, int]
    strange: tuple[str, ...] = ()
    """What must never be, or is not among the outcomes that the kind is meant to have."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Why samples failed."""


@dataclass(frozen=True)
class Total:
    """All runs of one kind."""

    kind: Kind
    injected: int
    outcomes: Counter[str]
    strange: tuple[str, ...]
    reasons: Counter[str]

    @property
    def sound(self) -> bool:
        return not self.strange


class Kept:
    """Results by run on `board` in `folder`, so that a campaign that was ended goes on."""

    def __init__(self, folder: Path, board: str) -> None:
        """Raises SessionError when `folder` cannot be used."""
        self._path = folder / f"runs-{board}.jsonl"
        self.found: dict[str, Found] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lines = self._path.read_text().splitlines() if self._path.exists() else []
        except OSError as error:
            raise SessionError(f"cannot use {folder}: {error.strerror}", "choose another --out") from None
        for line in lines:
            try:
                values = json.loads(line)
                found = Found(**{**values, "strange": tuple(values["strange"])})
            except (ValueError, TypeError, KeyError):
                continue  # the last line of a campaign that was killed
            self.found[found.key] = found

    def add(self, found: Found) -> None:
        """Raises SessionError when it cannot be written."""
        self.found[found.key] = found
        try:
            with self._path.open("a") as stream:
                stream.write(json.dumps(asdict(found)) + "\n")
        except OSError as error:
            raise SessionError(f"cannot write {self._path}: {error.strerror}", "free some space") from None


def campaign(
    names: Sequence[str],
    count: int | None,
    seed: int,
    board: str,
    folder: Path,
    progress: Progress = lambda kind, done, wanted: None,
) -> list[Total]:
    """Injects each of the kinds `names` at least `count` times, or as often as it is usually, on `board`.

    Whole runs of digits, all schemes in turn; those that `folder` has are not run again. The twin is put
    behind a probe for kinds that need cables. Raises UsageError for an unknown board, BoardError when it is
    not there, SessionError when `folder` cannot be written.
    """
    kinds = planned((KINDS[name] for name in names), board)
    kept = Kept(folder, board)
    totals = []
    with Places(board) as places:
        for kind in kinds:
            wanted = count or kind.usual or USUAL[kind.layer]
            totals.append(_total(kind, list(_runs(kind, wanted, seed, places, kept, progress))))
    return totals


def _runs(
    kind: Kind, wanted: int, seed: int, places: Places, kept: Kept, progress: Progress
) -> Iterator[Found]:
    injected = barren = 0
    for cell in cells(kind, seed):
        if injected >= wanted or barren >= BARREN_MAX:
            return
        progress(kind.name, injected, wanted)
        if cell.key not in kept.found:
            kept.add(_judged(cell, kind, run_cell(cell, kind, places.request(kind))))
        found = kept.found[cell.key]
        injected += found.injected
        barren = 0 if found.injected else barren + 1
        yield found


def cells(kind: Kind, seed: int) -> Iterator[Cell]:
    """Run after run, for ever: schemes and the kind's usual settings in turn."""
    turn = 0
    while True:
        scheme = SCHEMES[turn % len(SCHEMES)]
        if not (scheme == _LOCAL_ONLY and (kind.own_server or kind.layer is Layer.SERVER)):
            settings = kind.trials[turn % len(kind.trials)]
            yield Cell(kind.name, f"{kind.name}:{settings}", scheme, seed + turn, kind.samples)
        turn += 1


def run_cell(cell: Cell, kind: Kind, request: Request) -> Trial:
    """The run of `cell` on the board of `request`; its folder is looked at, and not kept."""
    bundle = shelf.FOLDER / f"{cell.scheme}-digits.safetensors"
    # A server half that is not asked over a socket takes a fixed time: runs repeat exactly.
    own: Mapping[str, Any] = {"deadline_ms": 200.0, "request_timeout_s": 0.3}
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix="faults-") as scratch:
        options = RunOptions(
            n=cell.samples,
            seed=cell.seed,
            inject=(cell.order,),
            out=Path(scratch),
            layer_samples=0,
            transcript=False,
            **(own if kind.own_server else {"server_ms": 2.0}),
        )
        ended = trial(resolve(replace(request, bundle=bundle)), options, truths(bundle))
        return replace(ended, wrong=(*ended.wrong, *wrong_folders(options.out, options.inject)))


def _judged(cell: Cell, kind: Kind, ended: Trial) -> Found:
    strange = [
        f"sample {one.index}: {one.outcome}, {one.reason}"
        for one in ended.struck
        if one.outcome in NEVER or one.outcome not in kind.expected
    ]
    strange += ended.wrong
    meant = kind.ends_run and bool(ended.struck)
    if meant != bool(ended.error):
        strange.append(f"the run ended: {ended.error}" if ended.error else "the run went on")
    return Found(
        cell.key,
        cell.kind,
        len(ended.struck),
        dict(Counter(str(one.outcome) for one in ended.struck)),
        tuple(f"{cell.order} --seed {cell.seed}, {cell.scheme}, {what}" for what in strange),
        dict(Counter(one.reason for one in ended.struck if one.outcome is Outcome.FAILED)),
    )


def _total(kind: Kind, found: Sequence[Found]) -> Total:
    def added(parts: Iterable[Mapping[str, int]]) -> Counter[str]:
        whole: Counter[str] = Counter()
        for part in parts:
            whole.update(part)
        return whole

    return Total(
        kind,
        sum(one.injected for one in found),
        added(one.outcomes for one in found),
        tuple(line for one in found for line in one.strange),
        added(one.reasons for one in found),
    )
