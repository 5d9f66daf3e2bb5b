"""The run folder: written as the run goes, closed as valid JSON however it ends."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hil.errors import SessionError
from hil.session.events import Event, SampleFinished
from hil.session.rows import COLUMNS, event_object, record_row

TRANSCRIPT_MAX = 64 << 20
"""Bytes of `wire.jsonl`; a longer transcript ends with a note."""


class RunFolder:
    """`<out>/<UTC time>-<name>/`. Every method that writes raises SessionError when it cannot."""

    def __init__(self, path: Path, transcript: bool) -> None:
        """Opens the files in the existing empty folder `path`; use `create`."""
        self.path = path
        self._began_s = time.monotonic()
        self._wire_bytes = 0 if transcript else TRANSCRIPT_MAX
        self._pending: dict[str, bytearray] = {"tx": bytearray(), "rx": bytearray()}
        with _writing(path):
            (path / "artefacts").mkdir()
            self._events = (path / "events.jsonl").open("w", encoding="utf-8")
            self._samples = (path / "samples.csv").open("w", encoding="utf-8", newline="")
            self._wire = (path / "wire.jsonl").open("w", encoding="utf-8") if transcript else None
            self._write_row(COLUMNS)

    @classmethod
    def create(cls, out: Path, name: str, transcript: bool = True) -> RunFolder:
        """A new folder, numbered when another run of that name began in the same second."""
        stem = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}"
        with _writing(out):
            out.mkdir(parents=True, exist_ok=True)
            for number in range(1, 1000):
                path = out / (stem if number == 1 else f"{stem}-{number}")
                with contextlib.suppress(FileExistsError):
                    path.mkdir()
                    return cls(path, transcript)
        raise SessionError(f"too many runs named {stem} in {out}", "choose another --name or --out")

    def record(self, event: Event) -> None:
        """Appends `event` to `events.jsonl` and a finished sample to `samples.csv`."""
        with _writing(self.path):
            line = json.dumps(event_object(event, time.monotonic() - self._began_s), ensure_ascii=False)
            self._events.write(line + "\n")
            self._events.flush()
            if isinstance(event, SampleFinished):
                self._write_row(record_row(event.record))
                if self._wire is not None:
                    self._wire.flush()

    def trace(self, direction: str, time_s: float, data: bytes) -> None:
        """Appends bytes of the wire to `wire.jsonl`, a line for each frame rather than for each read."""
        if self._wire is None or self._wire_bytes >= TRANSCRIPT_MAX:
            return
        pending = self._pending[direction]
        pending += data
        if data[-1:] == b"\0" and len(pending) > 1:
            self._write_wire({"t": round(time_s, 9), "dir": direction, "hex": pending.hex()})
            pending.clear()
            if self._wire_bytes >= TRANSCRIPT_MAX:
                self._write_wire({"note": f"the transcript ends after {TRANSCRIPT_MAX} bytes"})

    def write_json(self, name: str, content: Any) -> None:
        """Writes `name` whole or not at all."""
        self.write_bytes(name, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())

    def write_bytes(self, name: str, content: bytes) -> None:
        """Writes `name` whole or not at all."""
        path = self.path / name
        temporary = path.with_name(path.name + ".part")
        with _writing(path):
            try:
                temporary.write_bytes(content)
                os.replace(temporary, path)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise

    def close(self, summary: dict[str, Any]) -> None:
        """Closes all files, writes `summary.json`, and last `MANIFEST.sha256` over everything."""
        with contextlib.suppress(OSError):
            self._samples.close()
        for direction, pending in self._pending.items():
            if pending and self._wire is not None:
                with contextlib.suppress(SessionError):
                    self._write_wire({"dir": direction, "hex": pending.hex(), "note": "incomplete"})
        for stream in (self._events, self._wire):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self.write_json("summary.json", summary)
        self.write_bytes("MANIFEST.sha256", self._manifest())

    def _write_row(self, row: Any) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(row)
        self._samples.write(text.getvalue())
        self._samples.flush()

    def _write_wire(self, content: dict[str, Any]) -> None:
        assert self._wire is not None
        with _writing(self.path):
            line = json.dumps(content, separators=(",", ":")) + "\n"
            self._wire_bytes += len(line)
            self._wire.write(line)

    def _manifest(self) -> bytes:
        files = sorted(path for path in self.path.rglob("*") if path.is_file())
        lines = [
            f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(self.path)}"
            for file in files
        ]
        return ("\n".join(lines) + "\n").encode()


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SessionError(
            f"cannot write {path}: {error.strerror or error}", "free some space, or choose another --out"
        ) from None
