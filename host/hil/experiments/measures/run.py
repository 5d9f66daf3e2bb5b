"""A session of a bundle on a board, over a modelled radio: latency, energy, memory, and what was answered."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.errors import SessionError
from hil.experiments.measure import Context, Figure, Found, Measure, Settings
from hil.experiments.measures.bundles import bundle_inputs, bundle_of
from hil.link.parse import with_settings
from hil.paths import cache_dir

if TYPE_CHECKING:
    from hil.pipeline import Plan
    from hil.server.answer import Server

DEFAULTS: Mapping[str, Any] = {
    "board": "twin",
    "radio": "wifi-6m",
    "n": 50,
    "seed": 0,
    "deadline_ms": 1000.0,
    "server_ms": 1.0,
    "clock_mhz": 216,
    "codec": "auto",
    "kernels": "tuned",
    "overlap": True,
}
"""What a run is unless its cell says otherwise. The server's time is fixed, so that no figure depends on
how busy this machine is."""

BY_DESIGN = ("failed-samples",)
"""Issues that a scheme which cannot answer alone has on a bad link; its failed samples count as wrong."""


_OF_THE_LINK = ("radio", "bandwidth_kbps", "codec", "deadline_ms", "server_ms", "overlap")


def canonical(settings: Settings) -> Settings:
    """With the defaults; a bundle that sends nothing knows no link."""
    from hil.bundle import read_manifest

    given = {**DEFAULTS, **settings}
    if read_manifest(bundle_of(given)).payload is None:
        return {name: value for name, value in given.items() if name not in _OF_THE_LINK}
    return given


def run(settings: Settings, context: Context) -> Found:
    """Raises HilError where the run is not valid, whatever made it so."""
    return found_in(session(bundle_of(settings), settings, context), settings)


def session(bundle: Path, settings: Settings, context: Context) -> dict[str, Any]:
    """The summary of a run of `bundle`, whose folder is not kept. Raises HilError."""
    from hil.boards.options import BoardOptions
    from hil.deploy.codecs.request import CodecRequest
    from hil.pipeline import Request, resolve, run_pipeline
    from hil.session.options import RunOptions

    given = {**DEFAULTS, **settings}
    radio = radio_of(given)
    plan = resolve(
        Request(
            board=given["board"],
            bundle=bundle,
            clock_mhz=given["clock_mhz"],
            data_dir=context.data_dir,
            kernels=given["kernels"],
            codec=CodecRequest(_codec(bundle, given["codec"]), "latency", radio),
            board_options=BoardOptions(),
        )
    )
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix="cell-") as scratch:
        options = RunOptions(
            n=given["n"],
            seed=given["seed"],
            deadline_ms=given["deadline_ms"],
            radio=radio,
            server_ms=given["server_ms"],
            overlap=given["overlap"],
            out=Path(scratch),
            transcript=False,
        )
        with _one_build_at_a_time(plan, bundle):
            _prepare(plan, bundle)
        return run_pipeline(plan, options, _Silent(), serve=_serve)


def radio_of(settings: Settings) -> str:
    """The radio's text; a bandwidth of its own, in kbit/s, takes the place of the radio's."""
    kbps = settings.get("bandwidth_kbps")
    return with_settings(settings["radio"], {} if kbps is None else {"bandwidth": f"{kbps:g}k"})


def _codec(bundle: Path, codec: str) -> str | None:
    """A codec by name; None, the bundle's, for `own` and for a bundle that sends nothing."""
    from hil.bundle import read_manifest

    return None if codec == "own" or read_manifest(bundle).payload is None else codec


def _prepare(plan: Plan, bundle: Path) -> None:
    from hil.pipeline import build_firmware, pack_payload

    build_firmware(plan, pack_payload(plan, bundle, _Silent()).bundle, _Silent())


@contextmanager
def _one_build_at_a_time(plan: Plan, bundle: Path) -> Iterator[None]:
    """Of cells that need the same firmware, one builds it and the others find it."""
    locks = cache_dir() / "locks"
    locks.mkdir(exist_ok=True)
    with (locks / f"{bundle.stem}-{plan.board.info.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the process, however that ends
        yield


def _serve(bundle: Path) -> AbstractContextManager[Server | None]:
    from hil.bundle import read_manifest
    from hil.server.inline import InlineServer

    return nullcontext(None if read_manifest(bundle).payload is None else InlineServer(bundle))


class _Silent:
    """Reports to nobody: a cell's progress is that it ends."""

    def handle(self, event: object) -> None:
        pass

    def close(self) -> None:
        pass


def found_in(summary: Mapping[str, Any], settings: Settings) -> Found:
    """The figures of a run's summary. Raises SessionError where it is not valid, but for BY_DESIGN."""
    from hil.session.verdict import INVALIDATING

    spoilt = [issue for issue in summary["issues"] if issue["code"] in INVALIDATING]
    if serious := [issue for issue in spoilt if issue["code"] not in BY_DESIGN]:
        raise SessionError(f"the run is not valid: {serious[0]['message']}", serious[0]["hint"])
    latency, energy, memory = summary["latency_ms"], summary["energy_mj"], summary["memory"]
    figures: dict[str, Figure] = {
        "accuracy": summary["accuracy"],
        "float_accuracy": summary["float_accuracy"],
        "agreement": summary["host_agreement"],
        **{f"latency_{name}_ms": latency[name] for name in ("mean", "p50", "p95", "p99")},
        **{f"{name}_ms": latency[name] for name in ("local", "link", "remote", "fuse", "overlap")},
        "energy_mj": energy["mean"],
        **{f"energy_{name}_mj": energy[name] for name in ("cpu", "radio", "idle", "peripherals")},
        **{name: memory[name] for name in ("flash_bytes", "arena_bytes", "stack_peak_bytes")},
        "ram_bytes": memory["ram_static_bytes"] + memory["arena_bytes"] + memory["stack_reserved_bytes"],
        "busy_cycles": _busy_cycles(summary),
        "payload_bytes": summary["payload_bytes"]["mean"],
        "payload_p95_bytes": summary["payload_bytes"]["p95"],
        "radio_retransmissions": summary["radio_retransmissions"],
        **_shares(summary),
    }
    return Found(figures, _sources(summary, figures), detail={"summary": dict(summary)})


def _busy_cycles(summary: Mapping[str, Any]) -> float | None:
    """What the device computes for: its cycles without those in which it waits."""
    latency = summary["latency_ms"]
    if latency["local"] is None:
        return None
    return float((latency["local"] + latency["fuse"]) * summary["clock_hz"] / 1000)


def _shares(summary: Mapping[str, Any]) -> dict[str, Figure]:
    """How the samples ended."""
    total = summary["samples"] or 1
    outcomes = ("answered", "fallback", "local", "failed")
    shares: dict[str, Figure] = {name: summary["outcomes"].get(name, 0) / total for name in outcomes}
    return {**shares, "samples": summary["samples"], "prefix_samples": summary["prefixes"]["samples"]}


def _sources(summary: Mapping[str, Any], figures: Mapping[str, Figure]) -> dict[str, str]:
    """The origin of every time and energy; what is counted has none."""
    latency, energy = summary["latency_ms"], summary["energy_mj"]
    sources = {name: latency["source"] for name in figures if name.startswith("latency_")}
    sources |= {
        f"{part}_ms": latency["sources"][part] for part in ("local", "link", "remote", "fuse", "overlap")
    }
    sources |= {name: energy["source"] for name in figures if name.startswith("energy_") and energy["source"]}
    return {**sources, "busy_cycles": latency["sources"]["local"]}


RUN = Measure(
    "run",
    run,
    (
        "boards", "codec", "deploy", "link", "mcu", "measure", "schemes", "session", "twin", "wire",
    ),
    bundle_inputs,
    canonical,
)  # fmt: skip
"""Settings: those of `bundle_of`, `bandwidth_kbps`, and those of DEFAULTS."""
