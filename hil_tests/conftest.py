"""Fixtures that the tests of several rooms share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from hil.session.options import RunOptions
from hil.training.api import ensure_bundle
from hil.zoo import shelf

if TYPE_CHECKING:
    from hil.faults.trial import Trial

# Threads that wait for each other cost more than they bring on the tests' small networks.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A busy machine is no failure. Chance looks for new examples at a desk; a gate tries the same ones each time.
settings.register_profile("hil", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "hil")


@pytest.fixture(scope="session")
def digits_bundle() -> Path:
    """AgileNN on the digits, seed 0, by the default recipe: the bundle a plain `hil run` uses.

    In the cache, so that it is trained once per machine and recipe rather than once per session;
    its path is `hil.training.api.cached_bundle_path("agilenn", "digits", 0)`.
    """
    return ensure_bundle("agilenn", "digits", seed=0)


@pytest.fixture
def faults(tmp_path: Path) -> Callable[..., Trial]:
    """`faults("frame-loss:rate=0.5", n=8, scheme="spinn")`: a quick run with these faults, judged.

    On the twin, or on another `board`; with the digits, the bundle that comes with hil, and any settings of
    RunOptions.
    """

    def run(*orders: str, scheme: str = "agilenn", board: str = "twin", **settings: Any) -> Trial:
        from hil.faults.trial import trial
        from hil.faults.truth import truths
        from hil.pipeline import Request, resolve

        bundle = shelf.FOLDER / f"{scheme}-digits.safetensors"
        chosen = {"n": 8, "server_ms": 2.0, "out": tmp_path / "runs", **settings}
        options = RunOptions(inject=orders, **chosen)
        return trial(resolve(Request(bundle=bundle, board=board)), options, truths(bundle))

    return run


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of downloaded data sets; skips where HIL_DATA names none."""
    named = os.environ.get("HIL_DATA")
    if not named:
        pytest.skip("HIL_DATA names no folder with downloaded data sets")
    return Path(named)
