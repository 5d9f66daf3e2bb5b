"""`hil keygen`, `hil sign`, and verbs that take signed bundles only."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from hil import pipeline
from hil.cli import main
from hil.server import app
from hil.zoo.shelf import FOLDER

pytest.importorskip("cryptography")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copy(FOLDER / "agilenn-digits.safetensors", tmp_path / "b.safetensors"))


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    assert main(["keygen", "ours", "--out", str(tmp_path)]) == 0
    return tmp_path / "ours.pub"


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Bundles that anything was done with."""
    found: list[Any] = []
    monkeypatch.setattr(pipeline, "run_pipeline", lambda plan, *a, **k: found.append(plan) or {"valid": True})
    monkeypatch.setattr(app, "serve", lambda bundle, *a, **k: found.append(bundle))
    return found


def verb(name: str, bundle: Path, trust: Path) -> list[str]:
    more = ["--plain"] if name == "run" else []
    return [name, "--bundle", str(bundle), "--trust", str(trust), *more]


@pytest.mark.parametrize("name", ["run", "serve", "build"])
def test_an_unsigned_bundle_is_refused_before_anything_of_it_is_used(
    name: str, bundle: Path, trust: Path, used: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    bundle.write_bytes(b"what could be anything")
    assert main(verb(name, bundle, trust)) == 2
    assert "is not signed" in capsys.readouterr().err
    assert not used


def test_a_signed_bundle_is_run_and_the_plan_knows_by_whom(
    bundle: Path, trust: Path, used: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sign", str(bundle), "--key", str(trust.with_suffix(".key"))]) == 0
    assert main(["sign", str(bundle), "--check", "--trust", str(trust)]) == 0
    assert "signed by ours" in capsys.readouterr().out
    assert main(verb("run", bundle, trust)) == 0
    assert used[0].signer.name == "ours"
    assert main(verb("serve", bundle, trust)) == 0


def test_the_environment_may_ask_for_signatures(
    bundle: Path, trust: Path, used: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIL_TRUST", str(trust))
    assert main(["run", "--bundle", str(bundle), "--plain"]) == 2
    assert main(["run", "--plain"]) == 2, "a bundle that is trained here is not signed either"
    assert not used


@pytest.mark.parametrize(
    ("given", "word"),
    [([], "--key NAME.key"), (["--check"], "--trust KEYS"), (["--key", "/nowhere/x.key"], "hil keygen")],
)
def test_what_is_missing_is_said(
    given: list[str], word: str, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sign", str(bundle), *given]) == 2
    assert word in " ".join(capsys.readouterr().err.split())
