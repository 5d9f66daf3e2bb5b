"""All templates, in the order in which they are asked."""

from __future__ import annotations

from hil.neighbourhood.template import Template
from hil_tests.neighbourhood import (
    answers,
    codecs,
    conversations,
    convolutions,
    elementwise,
    graphs,
    kernels,
    memory,
    quantising,
    radios,
    requantisation,
    server,
    sessions,
    wire,
)

TEMPLATES: tuple[Template, ...] = (
    *convolutions.TEMPLATES,
    *elementwise.TEMPLATES,
    *kernels.TEMPLATES,
    *requantisation.TEMPLATES,
    *codecs.TEMPLATES,
    *wire.TEMPLATES,
    *conversations.TEMPLATES,
    *answers.TEMPLATES,
    *graphs.TEMPLATES,
    *memory.TEMPLATES,
    *radios.TEMPLATES,
    *quantising.TEMPLATES,
    *server.TEMPLATES,
    *sessions.TEMPLATES,
)
