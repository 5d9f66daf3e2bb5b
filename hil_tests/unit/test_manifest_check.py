"""A manifest may be anybody's: what it announces is checked before anything is made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hil.bundle import Manifest, read_manifest
from hil.manifest_check import complaint
from hil.zoo import shelf

BUNDLES = sorted(shelf.FOLDER.glob("*.safetensors"))


@pytest.fixture
def sound() -> Manifest:
    return read_manifest(shelf.FOLDER / "agilenn-digits.safetensors")


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.stem)
def test_no_complaint_of_what_hil_makes(bundle: Any) -> None:
    assert complaint(read_manifest(bundle)) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("classes", True),
        ("classes", "10"),
        ("classes", 0),
        ("classes", 10**9),
        ("seed", -1),
        ("alpha", float("nan")),
        ("alpha", 1.5),
        ("exit_confidence", "high"),
        ("scheme", "x\n2026-01-01 session admin"),
        ("dataset", "\x1b[2J"),
        ("dataset", ""),
        ("config", []),
        ("config", {"recipe": {"stages": [[1, 16, 10**9, 1]]}}),
        ("config", {"recipe": {"stages": [[1, 16, 1, 1]] * 1000}}),
        ("metrics", {"accuracy": "good"}),
    ],
)
def test_a_wrong_value_is_named(sound: Manifest, name: str, value: Any) -> None:
    assert name in complaint(replace(sound, **{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("height", 10**12),
        ("width", 0),
        ("channels", 1.0),
        ("channel_begin", -1),
        ("centroids", ()),
        ("centroids", (1.0, 0.0)),
        ("centroids", (0.0, float("inf"))),
        ("centroids", tuple(map(float, range(257)))),
        ("codec", 3),
        ("progressive", 1),
    ],
)
def test_a_wrong_payload_is_named(sound: Manifest, name: str, value: Any) -> None:
    assert sound.payload is not None
    assert name in complaint(replace(sound, payload=replace(sound.payload, **{name: value})))


@pytest.mark.parametrize(
    ("name", "value"), [("height", 10**12), ("mean", (0.0,) * 7), ("std", (0.0,)), ("std", ("x",))]
)
def test_a_wrong_input_is_named(sound: Manifest, name: str, value: Any) -> None:
    assert f"input.{name}" in complaint(replace(sound, input=replace(sound.input, **{name: value})))


def test_sides_that_are_fine_alone_are_not_together(sound: Manifest) -> None:
    assert sound.payload is not None
    huge = replace(sound.payload, height=1024, width=1024, channels=1024)
    assert "larger than any board" in complaint(replace(sound, payload=huge))
