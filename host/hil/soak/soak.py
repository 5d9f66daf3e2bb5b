"""The loop: draws a run, lets it happen, judges it, and looks at what this process holds."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Final

from hil.durable import write_whole
from hil.errors import SessionError
from hil.faults.left import wrong_folders
from hil.faults.outcome import NEVER
from hil.faults.registry import KINDS
from hil.faults.trial import Trial, trial
from hil.faults.truth import truths
from hil.pipeline import Request, resolve
from hil.session.options import RunOptions
from hil.soak.deck import Draw, draws
from hil.soak.resources import held
from hil.soak.result import FILE, Round, Soak
from hil.zoo import shelf

SAMPLES: Final = 20
"""Of one run."""
PERIOD_S: Final = 20.0
"""From one sample to the next."""

Progress = Callable[[Round, Soak], None]


def soak(
    result: Soak,
    folder: Path,
    *,
    samples: int = SAMPLES,
    period_s: float = PERIOD_S,
    progress: Progress = lambda one, result: None,
) -> None:
    """Runs until `result`, which is empty, has its hours; `folder` has `soak.json` after every run.

    Folders of runs that went as they may are removed. Raises UsageError for an unknown board, BoardError
    where it is not there, SessionError when `folder` cannot be written.
    """
    resource_tracker.ensure_running()  # one handle for good, which would else come with the first killed run
    for draw in draws(result.seed, result.board):
        if result.complete:
            return
        one = _round(draw, result.board, samples, period_s, folder)
        result.rounds.append(one)
        _write(result, folder)
        progress(one, result)


def _round(draw: Draw, board: str, samples: int, period_s: float, folder: Path) -> Round:
    bundle = shelf.FOLDER / f"{draw.scheme}-digits.safetensors"
    runs = Path(tempfile.mkdtemp(dir=folder, prefix=f"{draw.number}-"))
    options = RunOptions(
        n=samples,
        seed=draw.seed,
        radio=draw.radio,
        period_s=period_s,
        out=runs,
        inject=draw.inject,
        transcript=False,
    )
    began_s = time.monotonic()
    found = trial(resolve(Request(bundle=bundle, board=board)), options, truths(bundle))
    wall_s = time.monotonic() - began_s
    strange = (*_strange(found), *wrong_folders(runs, draw.inject))
    if not strange:
        shutil.rmtree(runs, ignore_errors=True)
    now = held()
    kinds = sorted({one.kind for one in found.struck})
    return Round(
        draw.number,
        draw.scheme,
        draw.radio,
        draw.seed,
        draw.inject,
        len(found.records),
        found.summary.get("board_s") or 0.0,
        wall_s,
        {kind: {str(end): count for end, count in found.outcomes(kind).items()} for kind in kinds},
        now.rss_bytes,
        now.handles,
        found.error,
        strange,
    )


def _strange(found: Trial) -> list[str]:
    words = list(found.wrong)
    for one in found.struck:
        if one.outcome in NEVER or one.outcome not in KINDS[one.kind].expected:
            words.append(f"{one.kind} at sample {one.index} ({one.detail}): {one.outcome}, {one.reason}")
    return words


def _write(result: Soak, folder: Path) -> None:
    try:
        content = json.dumps(result.to_json(), indent=1, allow_nan=False) + "\n"
        write_whole(folder / FILE, content.encode())
    except OSError as error:
        raise SessionError(f"cannot write {folder}: {error.strerror}", "choose another --out") from None
