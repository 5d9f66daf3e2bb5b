"""The run folder: written as the run goes, readable whenever the run is killed, closed however it ends.

docs/durability.md says what is on the disk when.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from hil.durable import FULL, sync_folder, write_whole
from hil.errors import SessionError
from hil.session import manifest
from hil.session.events import Event, SampleFinished
from hil.session.lines import Lines
from hil.session.room import TRANSCRIPT_MAX, Reserve
from hil.session.rows import COLUMNS, event_object, record_row

SYNC_S: Final = 5.0
"""A loss of power costs at most the samples of so many seconds; a kill costs none."""
_WIRE_BUFFER_BYTES: Final = 1 << 18


class RunFolder:
    """`<out>/<UTC time>-<name>/`. Every method that writes raises SessionError when it cannot.

    The folder is hidden until `publish` gives it its name, so that every run folder has a summary.
    """

    def __init__(self, path: Path, transcript: bool) -> None:
        """Opens the files in the existing empty folder `path`; use `create`."""
        self.path = path
        self._name: str | None = None
        self._began_s = self._synced_s = time.monotonic()
        self._wire_bytes = 0 if transcript else TRANSCRIPT_MAX
        self._wire_waiting = bytearray()
        self._pending: dict[str, bytearray] = {"tx": bytearray(), "rx": bytearray()}
        self._full: OSError | None = None
        with _writing(path):
            os.mkdir(path / "artefacts")
            self._reserve = Reserve(path)
            self._events = Lines(path / "events.jsonl")
            self._samples = Lines(path / "samples.csv")
            self._wire = Lines(path / "wire.jsonl") if transcript else None
            self._samples.append(_row(COLUMNS))

    @classmethod
    def create(cls, out: Path, name: str, transcript: bool = True) -> RunFolder:
        """A new folder, hidden in `out` until it is published."""
        stem = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}"
        with _writing(out):
            out.mkdir(parents=True, exist_ok=True)
            for number in range(1, 1000):
                path = out / f".{stem}.{os.getpid()}-{number}"
                try:
                    os.mkdir(path)
                except FileExistsError:
                    continue
                return cls._filled(path, stem, transcript)
        raise SessionError(f"too many runs named {stem} in {out}", "choose another --name or --out")

    @classmethod
    def _filled(cls, path: Path, stem: str, transcript: bool) -> RunFolder:
        try:
            folder = cls(path, transcript)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
        folder._name = stem
        return folder

    def publish(self, summary: dict[str, Any]) -> None:
        """Gives the folder, with `summary` in it, its name: numbered when another run has that already."""
        self.write_json("summary.json", summary)
        stem, out = self._name, self.path.parent
        if stem is None:
            return
        sync_folder(self.path)
        with _writing(self.path):
            for number in range(1, 1000):
                named = out / (stem if number == 1 else f"{stem}-{number}")
                if _taken_over(self.path, named):
                    self.path, self._name = named, None
                    sync_folder(out)
                    return
        raise SessionError(f"too many runs named {stem} in {out}", "choose another --name or --out")

    def discard(self) -> None:
        """Removes the folder of a run that never began."""
        self._reserve.release()
        for lines in self._open_lines():
            with contextlib.suppress(OSError):
                lines.close()
        if self._name is not None:
            shutil.rmtree(self.path, ignore_errors=True)

    def record(self, event: Event) -> None:
        """Appends `event` to `events.jsonl` and a finished sample to `samples.csv`.

        On a full disk what has happened still finds room in the reserve; then SessionError is raised.
        """
        with _writing(self.path):
            content = event_object(event, time.monotonic() - self._began_s)
            self._append(self._events, (json.dumps(content, ensure_ascii=False) + "\n").encode())
            if isinstance(event, SampleFinished):
                self._append(self._samples, _row(record_row(event.record)))
                self._flush_wire()
                self._sync_at_times()
            self._raise_if_full()

    def trace(self, direction: str, time_s: float, data: bytes) -> None:
        """Appends bytes of the wire to `wire.jsonl`, a line for each frame rather than for each read."""
        if self._wire is None or self._wire_bytes >= TRANSCRIPT_MAX:
            return
        pending = self._pending[direction]
        pending += data
        if data[-1:] == b"\0" and len(pending) > 1:
            self._add_wire({"t": round(time_s, 9), "dir": direction, "hex": pending.hex()})
            pending.clear()
            if self._wire_bytes >= TRANSCRIPT_MAX:
                self._add_wire({"note": f"the transcript ends after {TRANSCRIPT_MAX} bytes"})
            if len(self._wire_waiting) > _WIRE_BUFFER_BYTES:
                with _writing(self.path):
                    self._flush_wire()
                    self._raise_if_full()

    def write_json(self, name: str, content: Any) -> None:
        """Writes `name` whole or not at all."""
        self.write_bytes(name, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())

    def write_bytes(self, name: str, content: bytes) -> None:
        """Writes `name` whole or not at all."""
        with _writing(self.path / name):
            write_whole(self.path / name, content, lasting=False)

    def close(self, summary: dict[str, Any]) -> None:
        """Closes all files, writes `summary.json`, and last `MANIFEST.sha256` over everything."""
        self._reserve.release()
        for direction, pending in self._pending.items():
            if pending and self._wire is not None:
                self._add_wire({"dir": direction, "hex": pending.hex(), "note": "incomplete"})
        with contextlib.suppress(OSError):
            self._flush_wire()
        for lines in self._open_lines():
            with contextlib.suppress(OSError):
                lines.close()
        self.publish(summary)
        with _writing(self.path):
            content = manifest.manifest_of(self.path)
        self.write_bytes(manifest.FILE, content)
        for folder in (self.path / "artefacts", self.path):
            sync_folder(folder)

    @property
    def lines(self) -> tuple[Lines, ...]:
        """The files that grow as the run goes."""
        return tuple(self._open_lines())

    @property
    def has_reserve(self) -> bool:
        """Room for the run's end is still held back."""
        return self._reserve.held

    def _open_lines(self) -> list[Lines]:
        return [lines for lines in (self._events, self._samples, self._wire) if lines is not None]

    def _append(self, lines: Lines, data: bytes) -> None:
        try:
            lines.append(data)
        except OSError as error:
            if error.errno not in FULL or not self._reserve.release():
                raise
            self._full = error
            lines.append(data)

    def _raise_if_full(self) -> None:
        if self._full is not None:
            full, self._full = self._full, None
            raise full

    def _add_wire(self, content: dict[str, Any]) -> None:
        line = json.dumps(content, separators=(",", ":")) + "\n"
        self._wire_bytes += len(line)
        self._wire_waiting += line.encode()

    def _flush_wire(self) -> None:
        if self._wire is not None and self._wire_waiting:
            waiting, self._wire_waiting = self._wire_waiting, bytearray()
            self._append(self._wire, bytes(waiting))

    def _sync_at_times(self) -> None:
        now_s = time.monotonic()
        if now_s - self._synced_s >= SYNC_S:
            self._synced_s = now_s
            for lines in self._open_lines():
                lines.sync()


def _taken_over(old: Path, new: Path) -> bool:
    """Renames the folder, unless `new` is there: onto one with something in it the system renames none."""
    try:
        os.rename(old, new)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            return False
        raise
    return True


def _row(cells: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SessionError(
            f"cannot write {path}: {error.strerror or error}", "free some space, or choose another --out"
        ) from None
