"""All templates, in the order in which they are asked."""

from __future__ import annotations

from hil.neighbourhood.template import Template
from hil_tests.neighbourhood import codecs, convolutions, elementwise, kernels, requantisation

TEMPLATES: tuple[Template, ...] = (
    *convolutions.TEMPLATES,
    *elementwise.TEMPLATES,
    *kernels.TEMPLATES,
    *requantisation.TEMPLATES,
    *codecs.TEMPLATES,
)
