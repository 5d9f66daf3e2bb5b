"""All templates, in the order in which they are asked."""

from __future__ import annotations

from hil.neighbourhood.template import Template
from hil_tests.neighbourhood import convolutions, elementwise

TEMPLATES: tuple[Template, ...] = (
    *convolutions.TEMPLATES,
    *elementwise.TEMPLATES,
)
