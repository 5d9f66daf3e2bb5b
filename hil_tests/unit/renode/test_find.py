"""Which Renode is taken, and what is said about those that are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hil.errors import BoardError
from hil.renode import docker, find
from hil.renode.find import find_renode
from hil.renode.version import check_version, parse_version
from hil_tests.unit.renode.conftest import MakeRenode

GOOD = "Renode v1.16.1.14417"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Renode in the usual places."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setattr(docker, "local_image", lambda: None)


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path / "home"), **more}


def test_named_before_variable_before_path_before_unpacked(tmp_path: Path, make_renode: MakeRenode) -> None:
    named = make_renode(tmp_path / "a", GOOD)
    variable = make_renode(tmp_path / "b", GOOD)
    on_path = make_renode(tmp_path / "bin", GOOD)
    unpacked = make_renode(tmp_path / "home" / "renode_1.16.1_portable", GOOD)
    surroundings = environ(tmp_path, HIL_RENODE=str(variable))
    assert find_renode(str(named), surroundings).program == str(named)
    assert find_renode(None, surroundings).program == str(variable)
    assert find_renode(None, environ(tmp_path)).program == str(on_path)
    on_path.unlink()
    found = find_renode(None, environ(tmp_path))
    assert (found.program, found.origin, found.version) == (str(unpacked), "unpacked", (1, 16, 1))


def test_a_folder_may_be_named(tmp_path: Path, make_renode: MakeRenode) -> None:
    program = make_renode(tmp_path / "unpacked" / "renode_1.16.1-dotnet_portable", GOOD)
    for folder in (program.parent, program.parent.parent):
        assert find_renode(str(folder), environ(tmp_path)).program == str(program)


def test_an_old_one_on_path_gives_way_to_a_newer_one(tmp_path: Path, make_renode: MakeRenode) -> None:
    make_renode(tmp_path / "bin", "Renode v1.13.0")
    newer = make_renode(tmp_path / "cwd" / "renode-portable", GOOD)
    assert find_renode(None, environ(tmp_path)).program == str(newer)


def test_only_an_old_one(tmp_path: Path, make_renode: MakeRenode) -> None:
    make_renode(tmp_path / "bin", "Renode v1.14.0.28928")
    with pytest.raises(BoardError, match=r"is Renode 1\.14\.0; hil needs 1\.15 or newer") as caught:
        find_renode(None, environ(tmp_path))
    assert caught.value.exit_code == 2


def test_none_at_all_tells_the_three_ways(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="Renode was not found") as caught:
        find_renode(None, environ(tmp_path))
    assert caught.value.exit_code == 2
    for way in ("renode-1.16.1.linux-portable-dotnet.tar.gz", "HIL_RENODE", "docker pull antmicro/renode"):
        assert way in caught.value.hint


@pytest.mark.parametrize("named", ["no/such/file", "empty"])
def test_a_name_that_leads_nowhere(tmp_path: Path, named: str) -> None:
    (tmp_path / "cwd" / "empty").mkdir()
    with pytest.raises(BoardError, match=f"HIL_RENODE names {named}"):
        find_renode(None, environ(tmp_path, HIL_RENODE=named))


def test_another_program(tmp_path: Path, make_renode: MakeRenode) -> None:
    program = make_renode(tmp_path / "a", "GNU bash, 5.2")
    with pytest.raises(BoardError, match="does not tell Renode's version; it says: GNU bash"):
        find_renode(str(program), environ(tmp_path))


def test_one_that_hangs(tmp_path: Path, make_renode: MakeRenode, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make_renode(tmp_path / "a", "")
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(find, "_ASK_LIMIT_S", 0.2)
    with pytest.raises(BoardError, match="did not tell its version"):
        find_renode(str(program), environ(tmp_path))


def test_docker_is_the_last_resort(
    tmp_path: Path, make_renode: MakeRenode, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_renode(tmp_path / "bin", GOOD).rename(tmp_path / "bin" / "docker")
    monkeypatch.setattr(docker, "local_image", lambda: "antmicro/renode:1.16.1")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    found = find_renode(None, environ(tmp_path))
    assert (found.origin, found.in_docker) == ("docker", True)
    command = found.command(["-P", "1234"], tmp_path, "hil-renode-x")
    assert command[:2] == ["docker", "run"]
    assert command[-4:] == ["antmicro/renode:1.16.1", "renode", "-P", "1234"]
    assert {"--rm", "--init", "host", f"{tmp_path}:{tmp_path}"} <= set(command)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Renode v1.15.3.4367\n  build: e1a64160-202412070324\n  runtime: .NET 6.0.36", (1, 15, 3)),
        ("Renode, version 1.16.1.14417 (43ba2a2d-202602041305)", (1, 16, 1)),
        ("enode, version 1.17.0", (1, 17, 0)),
        ("Renode v2.0", (2, 0, 0)),
        ("Unexpected options detected: --version", None),
        ("", None),
    ],
)
def test_versions(text: str, version: tuple[int, int, int] | None) -> None:
    assert parse_version(text) == version


def test_newer_ones_are_accepted() -> None:
    assert check_version("Renode v1.15.0", "x") == (1, 15, 0)
    assert check_version("Renode v2.1.0", "x") == (2, 1, 0)
