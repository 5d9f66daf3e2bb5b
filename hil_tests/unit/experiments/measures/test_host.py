"""A bundle on the host: fewer levels make smaller payloads, and no figure comes from nowhere."""

from __future__ import annotations

import pytest

from hil import bundle as bundles
from hil.errors import UsageError
from hil.experiments.measure import Context
from hil.experiments.measures.host import host
from hil.experiments.measures.thin import thinned
from hil.zoo import shelf


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("HIL_CACHE", str(tmp_path))


def figures(**settings):
    return host({"dataset": "digits", "samples": 20, **settings}, Context()).figures


def test_a_coarser_quantiser_sends_less():
    fine, coarse = (figures(scheme="agilenn", codec="context", thinning=every) for every in (1, 4))
    assert (fine["levels"], coarse["levels"]) == (8, 2)
    assert coarse["payload_bytes"] < fine["payload_bytes"]
    assert coarse["accuracy"] <= fine["accuracy"]


def test_the_codec_changes_bytes_and_no_answer():
    lzw, context = (figures(scheme="agilenn", codec=codec) for codec in ("lzw", "context"))
    assert lzw["accuracy"] == context["accuracy"]
    assert (lzw["packed_by"], context["packed_by"]) == ("lzw", "context")
    assert context["payload_bytes"] < lzw["payload_bytes"]


def test_what_sends_nothing_has_no_payload():
    found = figures(scheme="mcunet")
    assert found["payload_bytes"] is None
    assert found["accuracy"] == found["local_accuracy"] > 0.5


def test_thinning_keeps_the_ends_and_refuses_to_keep_one():
    path = shelf.find("agilenn", "digits")
    levels = bundles.read_manifest(path).payload.centroids
    kept = bundles.read_manifest(thinned(path, 4)).payload.centroids
    assert kept == (levels[0], levels[-1])
    assert thinned(path, 1) == path
    with pytest.raises(UsageError, match="none to tell apart"):
        thinned(path, 8)
