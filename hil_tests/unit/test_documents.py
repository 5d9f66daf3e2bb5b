"""Documents that may be anybody's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hil.documents import DEPTH_MAX, json_of, toml_of


def test_a_sound_document_is_read() -> None:
    assert json_of('{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}
    assert toml_of("[a]\nb = [1, 2]") == {"a": {"b": [1, 2]}}


def test_as_deep_as_allowed() -> None:
    assert json_of("[" * DEPTH_MAX + "]" * DEPTH_MAX)


@pytest.mark.parametrize("depth", [DEPTH_MAX + 1, 500, 100_000])
@pytest.mark.parametrize(("read", "begin"), [(json_of, ""), (toml_of, "x = ")])
def test_deeper_is_refused(read: Callable[[str], Any], begin: str, depth: int) -> None:
    with pytest.raises(ValueError, match="too deeply"):
        read(begin + "[" * depth + "]" * depth)


@pytest.mark.parametrize("text", ["", "{", "nonsense", "[1,]"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line 1 column"):
        json_of(text)
