"""A trained toy bundle for the tests of schemes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil import bundle
from hil.schemes.agilenn import AgileNN
from hil.training.progress import silent
from hil_tests.unit.training.toy import RECIPE, Toy


@pytest.fixture(scope="session")
def toy_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("toy") / "toy.safetensors"
    bundle.save(AgileNN().train(Toy(), RECIPE, 0, None, silent), path)
    return path
