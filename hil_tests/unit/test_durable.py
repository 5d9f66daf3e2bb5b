"""What is kept for later is whole or not there, wherever the process was killed."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hil import bundle as bundles
from hil.cli import main
from hil.durable import adopt_folder, write_whole
from hil.experiments.measure import Found
from hil.experiments.outcome import Measured
from hil.experiments.store import Store, StoreError
from hil.training import checkpoint
from hil.training.checkpoint import Checkpoint
from hil.zoo import shelf
from hil_tests.unit.crashes import Killed, killed_at

ZOO = shelf.FOLDER / "agilenn-digits.safetensors"
IDENTITY = {"code": 1}


def saved_checkpoint(folder: Path, number: int) -> None:
    held = Checkpoint("fit", number, {"w": torch.full((3000,), float(number))})
    checkpoint.save(held, folder / "c.safetensors", IDENTITY)


def loaded_checkpoint(folder: Path) -> int | None:
    found = checkpoint.load(folder / "c.safetensors", IDENTITY)
    return None if found is None else found.done


def saved_cell(folder: Path, number: int) -> None:
    Store(folder).save("abcd", Measured(Found({"x": float(number)}), 1.0))


def loaded_cell(folder: Path) -> int | None:
    found = Store(folder).load("abcd")
    return None if found is None else int(found.found.figures["x"])


def saved_bundle(folder: Path, number: int) -> None:
    bundle = bundles.load(ZOO)
    tensors = {**bundle.tensors, "number": torch.tensor([number]).numpy()}
    bundles.save(bundles.Bundle(bundle.manifest, tensors), folder / "b.safetensors")


def loaded_bundle(folder: Path) -> int | None:
    path = folder / "b.safetensors"
    return int(bundles.load(path).tensors["number"][0]) if path.exists() else None


def saved_file(folder: Path, number: int) -> None:
    write_whole(folder / "file", bytes([number]) * 5000)


def loaded_file(folder: Path) -> int | None:
    path = folder / "file"
    if not path.exists():
        return None
    (number,) = set(path.read_bytes())
    assert path.stat().st_size == 5000
    return number


KEPT = {
    "checkpoint": (saved_checkpoint, loaded_checkpoint),
    "cell": (saved_cell, loaded_cell),
    "bundle": (saved_bundle, loaded_bundle),
    "file": (saved_file, loaded_file),
}


@pytest.mark.parametrize("kind", KEPT)
def test_what_is_saved_is_the_former_or_the_new_one_whenever_its_process_is_killed(
    tmp_path: Path, kind: str
) -> None:
    save, load = KEPT[kind]
    with killed_at(1 << 30) as calls:
        save(tmp_path, 0)
    assert load(tmp_path) == 0
    found: list[int | None] = []
    for number in range(1, len(calls) + 1):
        before = load(tmp_path)
        with killed_at(number - 1), contextlib.suppress(Killed):
            save(tmp_path, number)
        found.append(load(tmp_path))
        assert found[-1] in (before, number)
    assert found[0] == 0
    assert found[-1] == len(calls)


@pytest.mark.parametrize("kind", KEPT)
def test_a_full_disk_leaves_the_former_one_and_no_rest(tmp_path: Path, kind: str, monkeypatch: Any) -> None:
    save, load = KEPT[kind]
    save(tmp_path, 1)

    def full(handle: int, data: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    files = set(tmp_path.rglob("*"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises((OSError, StoreError), match="No space left"):
            save(tmp_path, 2)
    assert load(tmp_path) == 1
    assert set(tmp_path.rglob("*")) == files


def folder_of(path: Path, content: str) -> Path:
    path.mkdir(parents=True)
    for name in ("a", "b", "last"):
        (path / name).write_text(content)
    return path


def contents(path: Path) -> set[str]:
    return {file.read_text() for file in path.iterdir()} if path.exists() else set()


def test_a_folder_is_the_former_one_the_new_one_or_none(tmp_path: Path) -> None:
    seen = set()
    for number in range(12):
        place = tmp_path / str(number)
        folder_of(place / "kept", "old")
        new = folder_of(place / "scratch" / "own", "new")
        with killed_at(number), contextlib.suppress(Killed):
            assert adopt_folder(new, place / "kept")
        found = contents(place / "kept")
        assert len(found) <= 1
        seen |= found
    assert seen == {"old", "new"}


def test_a_folder_that_another_process_made_first_is_left_to_it(tmp_path: Path, monkeypatch: Any) -> None:
    new = folder_of(tmp_path / "scratch" / "own", "mine")
    rename: Callable[..., None] = os.rename

    def raced(old: Path, to: Path) -> None:
        if not (tmp_path / "kept").exists() and old == new:
            folder_of(tmp_path / "kept", "theirs")
        rename(old, to)

    monkeypatch.setattr(os, "rename", raced)
    assert not adopt_folder(new, tmp_path / "kept")
    assert contents(tmp_path / "kept") == {"theirs"}


def test_a_full_cache_is_an_error_that_the_user_can_put_right(monkeypatch: Any, capsys: Any) -> None:
    def full(arguments: list[str]) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/cache/tune/x.json")

    monkeypatch.setattr("hil.cli.entry.invoke", full)
    assert main(["run"]) == 2
    assert "the disk is full at /cache/tune/x.json" in capsys.readouterr().err
