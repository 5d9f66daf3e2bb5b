"""The forms in which `hil report` writes."""

from __future__ import annotations

from typing import Final

FORMATS: Final = ("html", "json", "csv", "md", "junit")
