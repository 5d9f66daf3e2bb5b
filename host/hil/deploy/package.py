"""Packaging: bundle → int8 graph → plan → C → ELF, cached by the hash of everything that goes in."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hil import bundle as bundles
from hil import paths
from hil.boards.protocol import BoardInfo
from hil.bundle import Bundle
from hil.codec.coder import make_coder
from hil.deploy import budget, store
from hil.deploy.build import build_firmware, prepare_toolchain, source_hash
from hil.deploy.cost import macs
from hil.deploy.deployment import Deployment, Layer
from hil.deploy.emit import Model, emit
from hil.deploy.exit import make_exit
from hil.deploy.footprint import read_footprint
from hil.deploy.fuse import make_fusion, symbol_table
from hil.deploy.graph import Graph
from hil.deploy.lower import plain
from hil.deploy.plan import buffers_of, plan
from hil.deploy.program import DeviceHalf, Program, Step, step_title
from hil.deploy.toolchain import find_cmsis, find_compiler
from hil.errors import BundleError, UsageError

Progress = Callable[[str], None]
"""Called with the name of each step as it begins: capture, quantise, plan, emit, build."""

CLOCK_MIN_HZ, CLOCK_MAX_HZ = 60_000_000, 216_000_000
STEPS = ("capture", "quantise", "plan", "emit", "build")


def find(bundle_path: Path, board: BoardInfo, clock_hz: int) -> Deployment | None:
    """The cached deployment, or None. Needs neither torch nor a build."""
    folder = _folder(bundle_path, board, clock_hz)
    return store.load(folder, bundle_path) if (folder / store.FILE).is_file() else None


def deploy(
    bundle_path: Path, board: BoardInfo, clock_hz: int, progress: Progress = lambda step: None
) -> Deployment:
    """The firmware for `bundle_path` on `board`, from the cache or built now.

    Raises BundleError, CaptureError, DoesNotFitError, ToolchainError or BuildError.
    """
    if (found := find(bundle_path, board, clock_hz)) is not None:
        return found
    bundle = bundles.load(bundle_path)
    progress("capture")
    graph = make_graph(bundle, progress)
    folder = _folder(bundle_path, board, clock_hz)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        staged = _build(bundle, bundle_path, graph, board, clock_hz, Path(scratch), progress)
        store.save(staged)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(scratch, folder)
    return store.load(folder, bundle_path)


def make_graph(bundle: Bundle, progress: Progress = lambda step: None) -> Graph:
    """Captures and quantises the device half of `bundle`."""
    from hil.deploy.calibrate import observe, recorded_ranges
    from hil.deploy.capture import capture
    from hil.deploy.quantise import quantise
    from hil.schemes.halves import load_device

    inputs = bundle.manifest.input
    captured = capture(load_device(bundle), (inputs.height, inputs.width, inputs.channels))
    progress("quantise")
    ranges = recorded_ranges(bundle)
    if ranges is None:
        calibration = bundle.tensors.get("record.calibration")
        if calibration is None or not len(calibration):
            raise BundleError("the bundle holds no calibration samples", "train it again")
        ranges = observe(captured, inputs.prepare(calibration))
    elif odd := sorted(captured.shapes.keys() ^ ranges.keys()):
        raise BundleError(f"the bundle lacks or adds a range of {odd[0]!r}", "train it again")
    logits, feature = (*captured.outputs, None)[:2]
    return quantise(captured, ranges, logits, feature)


def _build(
    bundle: Bundle,
    bundle_path: Path,
    graph: Graph,
    board: BoardInfo,
    clock_hz: int,
    folder: Path,
    progress: Progress,
) -> Deployment:
    manifest = bundle.manifest
    payload = manifest.payload
    progress("plan")
    coder = make_coder(payload, bundle.part("codec")) if payload else None
    fusion = symbols = exit_rule = None
    if payload:
        fusion = make_fusion(manifest.alpha, graph.tensor(graph.logits) if graph.logits else None)
    if manifest.exit_confidence is not None and graph.logits:
        exit_rule = make_exit(manifest.exit_confidence, graph.tensor(graph.logits))
    if payload and graph.feature:
        symbols = symbol_table(graph.tensor(graph.feature), payload.centroids)
    program = plain(DeviceHalf(graph, coder, symbols))
    memory = plan(buffers_of(program))
    budget.check(program, memory, board)
    progress("emit")
    digest = bundles.digest(bundle_path)
    model = Model(program, memory, manifest.classes, digest, fusion, exit_rule)
    (folder / "model.c").write_text(emit(model))
    progress("build")
    elf = build_firmware(prepare_toolchain(), folder, board.config, clock_hz)
    return Deployment(
        folder=folder,
        elf=elf,
        bundle=bundle_path,
        bundle_hash=digest,
        manifest=manifest,
        board=board.name,
        clock_hz=clock_hz,
        graph=graph,
        symbol_of=symbols,
        fusion=fusion,
        exit=exit_rule,
        codec_tables=bundle.part("codec"),
        layers=tuple(_layer(program, step) for step in program.steps),
        footprint=read_footprint(elf),
    )


def _layer(program: Program, step: Step) -> Layer:
    work = sum(macs(program.half.graph, op) for op in program.ops(step))
    return Layer(step_title(program, step), step.kernel.name, work)


def _folder(bundle_path: Path, board: BoardInfo, clock_hz: int) -> Path:
    """The cache folder, named by the hash of bundle, board, clock, our sources and the toolchain."""
    if not CLOCK_MIN_HZ <= clock_hz <= CLOCK_MAX_HZ or clock_hz % 1_000_000:
        raise UsageError(
            f"a clock of {clock_hz / 1e6:g} MHz", "an STM32F746 takes whole MHz from 60 to 216 here"
        )
    bundles.read_manifest(bundle_path)
    ours = (paths.PACKAGE / room for room in ("deploy", "wire", "codec"))
    sources = source_hash(paths.MCU, *ours)
    parts = (
        bundles.digest(bundle_path).hex(),
        board.config,
        str(board.flash_bytes),
        str(board.ram_bytes),
        str(clock_hz),
        sources,
        find_compiler().version,
        find_cmsis().origin,
    )
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
    return paths.cache_dir() / "firmware" / key
