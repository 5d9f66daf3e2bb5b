"""What a training came to."""

from __future__ import annotations

from typing import Final

from rich.table import Table
from rich.text import Text

from hil.bundle import Manifest
from hil.report import format as fmt
from hil.report.frame import new_table
from hil.schemes.prefix import measured

_SHARES: Final = {
    "local_accuracy": "accuracy, device alone",
    "remote_accuracy": "accuracy, server alone",
    "reference_accuracy": "accuracy, reference network",
    "end_accuracy": "accuracy, the network's own end",
    "exit_share": "answered by the device's exit",
}


def training_rows(manifest: Manifest, rho: float | None) -> list[tuple[str, str]]:
    """Figures of the whole test split; only those that the scheme has."""
    metrics = manifest.metrics
    whole = [(_whole(manifest), fmt.percent(metrics["accuracy"]))] if "accuracy" in metrics else []
    rows = whole + [(text, fmt.percent(metrics[key])) for key, text in _SHARES.items() if key in metrics]
    if "skewness" in metrics:
        aim = f", aimed at {fmt.percent(rho)}" if rho is not None else ""
        rows.append(("skewness", fmt.percent(metrics["skewness"]) + aim))
    if "payload_bytes" in metrics and manifest.payload is not None:
        raw = manifest.payload.raw_bytes
        rows.append(("payload, mean", f"{fmt.size(metrics['payload_bytes'])} of {fmt.size(raw)} raw"))
        if "payload_bytes_p95" in metrics:
            rows.append(("payload, 95th percentile", fmt.size(metrics["payload_bytes_p95"])))
        rows += _in_part(metrics, manifest.payload.channels)
    if 0 < manifest.alpha < 1:
        rows.append(("share of the device in the answer", fmt.number(manifest.alpha, 3)))
    return rows


def _in_part(metrics: dict[str, float], channels: int) -> list[tuple[str, str]]:
    """Where the payload may be cut short: what the answer is worth then."""
    return [
        (f"accuracy, {complete} of {channels} channels sent", fmt.percent(metrics[name]))
        for name, complete in measured(channels).items()
        if name in metrics
    ]


def _whole(manifest: Manifest) -> str:
    """Whose accuracy is that of the answer."""
    if manifest.payload is None:
        return "accuracy, on the device"
    if manifest.exit_confidence is not None:
        return "accuracy, exit or server"
    return "accuracy, on the server" if manifest.alpha == 0 else "accuracy, both halves"


def training_table(manifest: Manifest, rho: float | None) -> Table:
    """`training_rows` as a table."""
    title = f"{manifest.scheme} on {manifest.dataset}, seed {manifest.seed}"
    table = new_table(title)
    table.add_column("figure, test split", no_wrap=True)
    table.add_column("value")
    for row in training_rows(manifest, rho):
        table.add_row(*(Text(cell) for cell in row))
    return table
