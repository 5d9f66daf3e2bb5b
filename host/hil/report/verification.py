"""What `hil verify` found, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hil.errors import HilError
from hil.report.stored import read_summary
from hil.session.manifest import State, Verification


def as_values(found: Sequence[Verification]) -> dict[str, Any]:
    """JSON-ready."""
    return {
        "intact": all(one.state is State.INTACT for one in found),
        "runs": [
            {
                "run": one.folder.resolve().name,
                "state": str(one.state),
                **_summary_of(one),
                **{name: list(getattr(one, name)) for name in ("intact", "changed", "missing", "extra")},
            }
            for one in found
        ],
    }


def as_lines(found: Sequence[Verification]) -> list[str]:
    """One for each run, and one for each file that is not as it was."""
    return [line for one in found for line in _lines(one)]


def _lines(one: Verification) -> list[str]:
    about = _summary_of(one)
    samples = f"{about['samples']} samples" if about["samples"] is not None else "no summary"
    early = ", ended early" if about["partial"] and one.state is not State.PARTIAL else ""
    detail = {
        State.INTACT: f"{len(one.intact)} files",
        State.CHANGED: f"{len(one.changed)} changed, {len(one.missing)} missing, {len(one.intact)} intact",
        State.PARTIAL: "no manifest to hold it against; the run was killed, or the file removed",
    }[one.state]
    extra = () if one.state is State.PARTIAL else one.extra
    marked = (("changed", one.changed), ("missing", one.missing), ("extra", extra))
    return [
        f"{one.folder.resolve().name}: {one.state} ({samples}{early}; {detail})",
        *(f"  {mark}: {name!r}"[:200] for mark, names in marked for name in names),
    ]


def _summary_of(one: Verification) -> dict[str, Any]:
    """How many samples it has, and whether it ended early; null where even that cannot be read."""
    try:
        summary = read_summary(one.folder, allow_partial=True)
    except HilError:
        return {"samples": None, "partial": None}
    return {"samples": summary.get("samples"), "partial": summary.get("partial")}
