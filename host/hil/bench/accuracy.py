"""How right a bundle is: in float, in int8 on the host, and as firmware on the twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from hil import bundle as bundles
from hil import data
from hil.bench import kept
from hil.bench.row import AccuracyRow, OnTwin
from hil.bundle import Bundle
from hil.data.dataset import Split
from hil.deploy.cost import macs
from hil.deploy.evaluate import Int8Evaluation, evaluate_int8
from hil.deploy.package import make_graph
from hil.errors import BundleError
from hil.pipeline import Request, resolve, run_pipeline
from hil.schemes.halves import load_device, load_server
from hil.session.events import Event, SampleFinished
from hil.session.options import RunOptions

_SLICE = 200
"""Images between two words of progress."""

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Settings:
    """How much is looked at."""

    samples: int = 0
    """Of the test split on the host; 0 for all."""
    twin_samples: int = 1000
    """On the twin; 0 for none."""
    radio: str = "wifi-6m"
    data_dir: Path | None = None
    runs: Path = Path("runs")
    """Where the run folders of the twin's part are made."""


def measure(path: Path, settings: Settings, progress: Progress, again: bool = False) -> AccuracyRow:
    """The row of the bundle at `path`, from the cache if the same was measured before and not `again`.

    Raises BundleError, DataError and whatever a build or a run raises.
    """
    key = kept.key(path, settings.samples, settings.twin_samples, settings.radio)
    if not again and (found := kept.load(key)) is not None:
        return found
    bundle = bundles.load(path)
    split = data.get(bundle.manifest.dataset).load("test", settings.data_dir)
    row = on_host(path, bundle, split.first(settings.samples) if settings.samples else split, progress)
    if settings.twin_samples:
        row = replace(row, twin=on_twin(path, settings, progress))
    kept.save(key, row)
    return row


def on_host(path: Path, bundle: Bundle, split: Split, progress: Progress) -> AccuracyRow:
    """Everything but the twin's part."""
    manifest, graph = bundle.manifest, make_graph(bundle)
    sums = _Sums()
    for start in range(0, len(split), _SLICE):
        part = slice(start, start + _SLICE)
        sums.add(evaluate_int8(bundle, split.images[part], split.labels[part], graph=graph))
        progress(f"{manifest.scheme}, host", min(start + _SLICE, len(split)), len(split))
    sent = sums.sent() if manifest.payload else np.zeros(0)
    return AccuracyRow(
        scheme=manifest.scheme,
        dataset=manifest.dataset,
        seed=manifest.seed,
        digest=bundles.digest(path).hex(),
        samples=len(split),
        float_accuracy=sums.mean("float"),
        int8_accuracy=sums.mean("int8"),
        local_accuracy=sums.mean("local") if sums.figures["local"] else None,
        exit_share=sums.mean("exited") if manifest.payload else None,
        payload_bytes_mean=float(sent.mean()) if len(sent) else None,
        payload_bytes_p95=float(np.percentile(sent, 95)) if len(sent) else None,
        skewness=manifest.metrics.get("skewness"),
        device_macs=sum(macs(graph, op) for op in graph.ops),
        device_parameters=_parameters(load_device(bundle)),
        server_parameters=_parameters(load_server(bundle)) if manifest.payload else 0,
    )


class _Sums:
    """Evaluations of parts of a split, sample by sample."""

    def __init__(self) -> None:
        names = ("float", "int8", "local", "exited", "bytes")
        self.figures: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names}

    def add(self, found: Int8Evaluation) -> None:
        """Takes the next part."""
        parts = {
            "float": found.float_predictions == found.labels,
            "int8": found.predictions == found.labels,
            "exited": found.exited,
        }
        if found.local_predictions is not None:
            parts["local"] = found.local_predictions == found.labels
        for name, values in parts.items():
            self.figures[name].append(values.astype(np.float64))
        if found.payload_bytes is not None:
            self.figures["bytes"].append(found.payload_bytes.astype(np.float64))

    def mean(self, name: str) -> float:
        return float(np.concatenate(self.figures[name]).mean())

    def sent(self) -> NDArray[np.float64]:
        """Bytes of every payload that was sent."""
        if not self.figures["bytes"]:
            return np.zeros(0)
        sizes: NDArray[np.float64] = np.concatenate(self.figures["bytes"])
        sent: NDArray[np.float64] = sizes[np.concatenate(self.figures["exited"]) == 0]
        return sent


def on_twin(path: Path, settings: Settings, progress: Progress) -> OnTwin:
    """A session of the bundle's firmware on the twin, which leaves its run folder."""
    scheme = bundles.read_manifest(path).scheme
    plan = resolve(Request(bundle=path, data_dir=settings.data_dir))
    # A fixed server time: nothing of the row may depend on how busy this machine is.
    options = RunOptions(
        n=settings.twin_samples,
        radio=settings.radio,
        server_ms=1.0,
        out=settings.runs,
        name=f"accuracy-{plan.dataset}-{scheme}",
        transcript=False,
    )
    summary = run_pipeline(plan, options, _Counter(f"{scheme}, twin", settings.twin_samples, progress))
    if not summary["valid"]:
        first = summary["issues"][0] if summary["issues"] else {"message": "no reason given", "hint": ""}
        raise BundleError(f"{scheme}'s run on the twin is not valid: {first['message']}", first["hint"])
    return OnTwin(
        samples=summary["samples"],
        accuracy=summary["accuracy"],
        agreement=summary["host_agreement"],
        latency_ms=summary["latency_ms"]["mean"],
        radio=settings.radio if bundles.read_manifest(path).payload else "none",
    )


@dataclass
class _Counter:
    """A run's samples as progress."""

    what: str
    total: int
    progress: Progress
    done: int = 0

    def handle(self, event: Event) -> None:
        if isinstance(event, SampleFinished):
            self.done += 1
            self.progress(self.what, self.done, self.total)

    def close(self) -> None:
        pass


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
