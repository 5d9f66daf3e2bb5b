"""What the server program checks and does before it announces itself."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hil_tests.patience import PATIENCE_S

from hil import bundle as bundles
from hil.bundle import Bundle, InputFormat, Manifest
from hil.errors import BundleError, ServerError
from hil.server import tls
from hil.server.app import _certificate, serve
from hil.server.options import ServeOptions


def local_manifest() -> Manifest:
    return Manifest("agilenn", "digits", 10, 0, InputFormat(8, 8, 1, 1, (0.0,), (1.0,)), None, 0.5, {})


def test_a_bundle_without_a_server_half_cannot_be_served(tmp_path):
    path = tmp_path / "local.safetensors"
    bundles.save(Bundle(local_manifest(), {"device.w": np.zeros(1, np.float32)}), path)
    with pytest.raises(ServerError, match="no server half"):
        serve(path, ServeOptions(), lambda bound: None)


def test_a_bundle_that_is_not_there_cannot_be_served():
    with pytest.raises(BundleError):
        serve(Path("/nowhere/b.safetensors"), ServeOptions(), lambda bound: None)


def test_off_this_machine_a_certificate_is_made_where_none_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("cryptography")
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))
    exposed = ServeOptions(host="192.0.2.1", token_file=Path("tokens"))
    made = _certificate(exposed)
    assert made is not None
    assert made[0].is_relative_to(tmp_path)
    assert tls.server_context(*made)
    assert _certificate(replace(exposed, insecure=True)) is None
    assert _certificate(ServeOptions()) is None


def test_torch_is_imported_by_the_server_program_only():
    code = (
        "import sys, hil.server.app, hil.server.client, hil.server.process, hil.session.run\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_S).returncode == 0
