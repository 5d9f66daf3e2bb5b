"""A summary from a run folder or a file, checked to be one that can be compared.

Of a run that was killed it is put together from the events.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from hil.documents import json_of
from hil.errors import UsageError
from hil.report.figures import Summary
from hil.report.rebuilt import rebuilt
from hil.session.bus import Issue
from hil.session.manifest import FILE as MANIFEST
from hil.session.manifest import RUN_FILES
from hil.session.summary import SCHEMA

FILE = "summary.json"


def is_run(folder: Path) -> bool:
    """Whether a run left it, however it ended."""
    return not folder.name.startswith(".") and any((folder / name).is_file() for name in RUN_FILES)


def runs_in(folder: Path) -> list[Path]:
    """The run folders directly in `folder`, the latest last."""
    return sorted(path for path in folder.glob("*") if path.is_dir() and is_run(path))


def read_summary(path: Path, allow_partial: bool = False) -> Summary:
    """The summary at `path`; one of a run that ended early only with `allow_partial`."""
    file = _file(path)
    summary = _unless_killed(file)
    if "error" in summary:
        raise UsageError(f"{file} holds an error instead of a summary: {_reason(summary)}", "run it again")
    if "schema" not in summary or "latency_ms" not in summary:
        raise UsageError(f"{file} is no summary of a run", f"name a run folder or its {FILE}")
    if summary["schema"] != SCHEMA:
        raise UsageError(
            f"{file} has schema {summary['schema']}, this hil compares schema {SCHEMA}",
            "compare with the hil that made it, or run it again",
        )
    if summary.get("partial") and not allow_partial:
        raise UsageError(
            f"the run of {file} ended early, after {summary.get('samples')} samples",
            "run it again, or compare what there is with --allow-partial",
        )
    return summary


def _file(path: Path) -> Path:
    if not path.exists():
        raise UsageError(f"there is no {path}", f"name a run folder or its {FILE}")
    if not path.is_dir():
        return path
    if (path / FILE).is_file() or (path / "events.jsonl").is_file():
        return path / FILE
    inner = runs_in(path)
    hint = (
        f"it holds run folders; the latest is {inner[-1]}" if inner else "name the folder that hil run made"
    )
    raise UsageError(f"{path} has no {FILE}", hint)


def _unless_killed(file: Path) -> dict[str, Any]:
    """The document in `file`, or what there would be if the run had not been killed."""
    folder = file.parent
    if file.name != FILE or not (folder / "events.jsonl").is_file() or (folder / MANIFEST).is_file():
        return _document(file)
    try:
        summary = _document(file)
    except UsageError:
        return _said(rebuilt(folder, None))
    killed = summary.get("schema") == SCHEMA and summary.get("partial") and not summary.get("samples")
    return _said(rebuilt(folder, summary) if killed else summary)


def _said(summary: dict[str, Any]) -> dict[str, Any]:
    """`summary` with the remark that nothing vouches for the folder's files."""
    issues = summary.get("issues")
    remark = Issue(
        "no-manifest", f"the run folder has no {MANIFEST}", "the run was killed, or the file removed"
    )
    return {**summary, "issues": [*(issues if isinstance(issues, list) else []), asdict(remark)]}


def _document(file: Path) -> dict[str, Any]:
    try:
        document = json_of(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", "check its permissions") from None
    except ValueError as error:
        raise UsageError(f"{file} is no JSON: {error}", f"name a run folder or its {FILE}") from None
    if not isinstance(document, dict):
        raise UsageError(f"{file} is no summary of a run", f"name a run folder or its {FILE}")
    return document


def _reason(document: dict[str, Any]) -> str:
    error = document["error"]
    return str(error.get("message") if isinstance(error, dict) else error)
