"""What hil reads cannot run code, by the look of its own sources: no pickle, no eval, no shell."""

from __future__ import annotations

import ast
import builtins
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from hil import paths
from hil.errors import ServerError
from hil.server.client import Client
from hil.server.service import Service
from hil.server.tokens import Credential, Tokens
from hil_tests.patience import PATIENCE_S
from hil_tests.unit.server.fake_remote import HASH, FakeRemote, serving

ROOT = paths.REPOSITORY / "host" / "hil"
SOURCES = sorted(ROOT.rglob("*.py"))
ARRAYS_ONLY = "data/arrays_only.py"
"""CIFAR comes as pickles: an unpickler that makes arrays and nothing else."""
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}
FORBIDDEN_CALLS = {"eval", "exec", "torch.load", "pandas.read_pickle", "yaml.load", "os.system", "os.popen"}


def name_of(node: ast.expr) -> str:
    """`a.b.c` of such an expression."""
    if isinstance(node, ast.Attribute):
        return f"{name_of(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def offences(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in FORBIDDEN_MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_MODULES:
            yield f"from {node.module}"
        elif isinstance(node, ast.Call):
            if name_of(node.func) in FORBIDDEN_CALLS:
                yield name_of(node.func)
            for word in node.keywords:
                if word.arg in ("allow_pickle", "shell") and not (
                    isinstance(word.value, ast.Constant) and word.value.value is False
                ):
                    yield f"{word.arg}="


@pytest.mark.parametrize(
    "text", ["import pickle", "from joblib import load", "torch.load(p)", "f(shell=True)", "eval(x)"]
)
def test_an_offence_is_seen(text: str) -> None:
    assert list(offences(ast.parse(text)))


def test_no_source_runs_what_it_reads() -> None:
    found = {
        str(source.relative_to(ROOT)): list(offences(ast.parse(source.read_text()))) for source in SOURCES
    }
    assert {name: what for name, what in found.items() if what} == {ARRAYS_ONLY: ["pickle"]}


def test_the_server_opens_no_file_once_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, bundles and tokens that clients send are compared and logged, and nothing else."""
    path = "/etc/hostname"
    token = "../../../../etc/passwd"
    service = Service(FakeRemote(), HASH, tokens=Tokens({path: token}))
    with serving(service) as bound:
        opened: list[object] = []
        real = builtins.open

        def watched(name: Any, *more: Any, **options: Any) -> Any:
            opened.append(name)
            return real(name, *more, **options)

        monkeypatch.setattr(builtins, "open", watched)
        for shown in (Credential(path, token), Credential(token, path)):
            with contextlib.suppress(ServerError):
                client = Client("127.0.0.1", bound.port, HASH, PATIENCE_S, credential=shown)
                client.infer(path.encode(), PATIENCE_S)
        monkeypatch.undo()
    assert not opened
