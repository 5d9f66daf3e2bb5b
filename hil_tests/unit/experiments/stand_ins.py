"""Measures that need no board: by name findable in any process."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from hil.errors import BundleError, UsageError
from hil.experiments.experiment import Column, Experiment, Variable
from hil.experiments.measure import Context, Found, Measure, Settings
from hil_tests.patience import PATIENCE_S


def double(settings: Settings, context: Context) -> Found:
    """Twice x."""
    return Found({"twice": 2 * settings["x"]}, {"twice": "modelled"})


def fate(settings: Settings, context: Context) -> Found:
    """What `fate` says: fine, refused, broken, killed, or slow with its process in the file `log`."""
    if settings["fate"] == "refused":
        raise BundleError("the bundle is damaged", "train it again")
    if settings["fate"] == "broken":
        raise ZeroDivisionError("one over none")
    if settings["fate"] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if settings["fate"] == "slow":
        Path(settings["log"]).write_text(str(os.getpid()))
        time.sleep(2 * PATIENCE_S)
    return Found({"fine": True})


def missing(settings: Settings, context: Context) -> Mapping[str, str]:
    """The input of x = 2 is not there."""
    if settings["x"] == 2:
        raise UsageError("there is no bundle for 2", "train one")
    return {"bundle": f"of {settings['x']}"}


def span(settings: Settings, context: Context) -> Found:
    """When it was measured."""
    began_s = time.monotonic()
    time.sleep(0.2)
    return Found({"began_s": began_s, "ended_s": time.monotonic()})


DOUBLE = Measure("double", double, ("experiments",))
FATE = Measure("fate", fate, ("experiments",))
MISSING = Measure("missing", double, ("experiments",), missing)
ALONE = Measure("alone", span, ("experiments",), alone=True)

NUMBERS = Experiment(
    name="numbers",
    question="What is twice a number?",
    paper="Nothing.",
    measure=DOUBLE,
    varies=(Variable("x", (1, 2, 3, 4), quick=(1, 2)), Variable("scheme", ("agilenn", "mcunet"))),
    fixed={"board": "twin", "n": 10},
    quick={"n": 2},
    columns=(Column("x", "x"), Column("twice", "twice", "", 0)),
)
