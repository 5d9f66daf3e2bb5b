"""Packaging: bundle → int8 graph → plan → C → ELF, cached by the hash of everything that goes in."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hil import bundle as bundles
from hil import paths
from hil.boards.protocol import BoardInfo
from hil.bundle import Bundle
from hil.codec.coder import make_coder
from hil.deploy import store
from hil.deploy.build import build_firmware, prepare_toolchain, source_hash
from hil.deploy.choose import choose
from hil.deploy.cost import macs
from hil.deploy.deployment import Deployment, KernelChoice, Layer
from hil.deploy.emit import Model, emit, itcm_script
from hil.deploy.exit import make_exit
from hil.deploy.footprint import read_footprint
from hil.deploy.fuse import make_fusion, symbol_table
from hil.deploy.graph import Graph
from hil.deploy.program import DeviceHalf, Program, Step, step_title
from hil.deploy.seal import read_seal
from hil.deploy.toolchain import find_cmsis, find_compiler
from hil.deploy.tune import explain
from hil.durable import adopt_folder
from hil.errors import BundleError, UsageError

Progress = Callable[[str], None]
"""Called with the name of each step as it begins: capture, quantise, tune, emit, build."""

CLOCK_MIN_HZ, CLOCK_MAX_HZ = 60_000_000, 216_000_000
STEPS = ("capture", "quantise", "tune", "emit", "build")


def find(
    bundle_path: Path, board: BoardInfo, clock_hz: int, kernels: KernelChoice = KernelChoice.TUNED
) -> Deployment | None:
    """The cached deployment, or None. Needs neither torch nor a build."""
    folder = _folder(bundle_path, board, clock_hz, kernels)
    return store.load(folder, bundle_path) if (folder / store.FILE).is_file() else None


def deploy(
    bundle_path: Path,
    board: BoardInfo,
    clock_hz: int,
    progress: Progress = lambda step: None,
    kernels: KernelChoice = KernelChoice.TUNED,
) -> Deployment:
    """The firmware for `bundle_path` on `board`, from the cache or built now.

    Raises BundleError, CaptureError, DoesNotFitError, ToolchainError or BuildError.
    """
    if (found := find(bundle_path, board, clock_hz, kernels)) is not None:
        return found
    bundle = bundles.load(bundle_path)
    progress("capture")
    graph = make_graph(bundle, progress)
    folder = _folder(bundle_path, board, clock_hz, kernels)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        own = Path(scratch) / "own"
        own.mkdir()
        store.save(_build(bundle, bundle_path, graph, board, clock_hz, kernels, own, progress))
        adopt_folder(own, folder)
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


def make_half(bundle: Bundle, graph: Graph) -> DeviceHalf:
    """`graph`, as `make_graph` made it of `bundle`, with what becomes of its feature map."""
    payload = bundle.manifest.payload
    if payload is None:
        return DeviceHalf(graph)
    coder = make_coder(payload, bundle.part("codec"))
    if not graph.feature:
        return DeviceHalf(graph, coder)
    return DeviceHalf(graph, coder, symbol_table(graph.tensor(graph.feature), payload.centroids))


def sample_input(bundle: Bundle, graph: Graph) -> NDArray[np.int8] | None:
    """The bundle's first calibration image as int8 (height, width, channels); None where it has none."""
    images = bundle.tensors.get("record.calibration")
    if images is None or not len(images):
        return None
    return graph.tensor(graph.input).quantise(bundle.manifest.input.prepare(images[:1])[0])


def _build(
    bundle: Bundle,
    bundle_path: Path,
    graph: Graph,
    board: BoardInfo,
    clock_hz: int,
    kernels: KernelChoice,
    folder: Path,
    progress: Progress,
) -> Deployment:
    manifest = bundle.manifest
    payload = manifest.payload
    progress("tune")
    half = make_half(bundle, graph)
    fusion = exit_rule = None
    if payload:
        fusion = make_fusion(manifest.alpha, graph.tensor(graph.logits) if graph.logits else None)
    if manifest.exit_confidence is not None and graph.logits:
        exit_rule = make_exit(manifest.exit_confidence, graph.tensor(graph.logits))
    toolchain = prepare_toolchain()
    chosen = choose(half, board, kernels, toolchain, sample_input(bundle, graph))
    program = chosen.program
    progress("emit")
    digest = bundles.digest(bundle_path)
    model = Model(program, chosen.plan, manifest.classes, digest, fusion, exit_rule)
    (folder / "model.c").write_text(emit(model))
    (folder / "hil_itcm.ld").write_text(itcm_script(program, [moved.index for moved in chosen.moved]))
    if chosen.tuned is not None:
        explain.save(explain.table(chosen.tuned, program, chosen.moved), folder)
    progress("build")
    elf = build_firmware(toolchain, folder, board.config, clock_hz)
    return Deployment(
        folder=folder,
        elf=elf,
        bundle=bundle_path,
        bundle_hash=digest,
        manifest=manifest,
        board=board.name,
        clock_hz=clock_hz,
        kernels=kernels,
        graph=graph,
        symbol_of=half.symbol_of,
        fusion=fusion,
        exit=exit_rule,
        codec_tables=bundle.part("codec"),
        layers=tuple(_layer(program, step) for step in program.steps),
        memory=chosen.plan,
        footprint=read_footprint(elf),
        seal=read_seal(elf),
    )


def _layer(program: Program, step: Step) -> Layer:
    work = sum(macs(program.half.graph, op) for op in program.ops(step))
    return Layer(step_title(program, step), step.kernel.name, work)


def _folder(bundle_path: Path, board: BoardInfo, clock_hz: int, kernels: KernelChoice) -> Path:
    """The cache folder, named by the hash of bundle, board, clock, kernels, our sources and the toolchain."""
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
        kernels,
        sources,
        find_compiler().version,
        find_cmsis().origin,
    )
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]
    return paths.cache_dir() / "firmware" / key
