"""`hil timeline`: what was busy when, in one inference of a run, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hil.cli import options
from hil.errors import UsageError

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder.")]
Sample = Annotated[
    int | None,
    typer.Option("--sample", min=0, help="Its position in the run; that of median latency if not given."),
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="The SVG; timeline-N.svg if not given.")]


def timeline(run: RunFolder, sample: Sample = None, out: Out = None, verbose: options.Verbose = False) -> int:
    """Draw when device, radio and server half were busy in one inference of a run."""
    from hil.report.kept import kept_events
    from hil.report.stored import read_summary
    from hil.report.timeline import chart, median_sample
    from hil.report.timeline_svg import timeline_svg

    summary = read_summary(run, allow_partial=True)
    records = kept_events(run if run.is_dir() else run.parent).records
    wanted = [record for record in records if sample in (None, record.index)]
    found = median_sample(wanted)
    if found is None:
        what = "no sample" if sample is None else f"no sample {sample}"
        raise UsageError(f"{run} has {what} with a latency", f"it has {len(records)} samples, from 0 on")
    target = out or Path(f"timeline-{found.index}.svg")
    try:
        target.write_text(timeline_svg(chart(summary, found)), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}", "name another file with -o") from None
    typer.echo(str(target))
    return 0
