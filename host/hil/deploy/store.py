"""Deployments on disk: the int8 graph and everything around it as safetensors with a JSON header."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from hil import bundle as bundles
from hil.deploy import graph as graphs
from hil.deploy.deployment import Deployment, ExitRule, Footprint, Fusion, KernelChoice, Layer
from hil.deploy.graph import Graph, Op, Tensor, Weights
from hil.deploy.memory.buffer import Buffer
from hil.deploy.memory.place import Placement
from hil.deploy.memory.regions import Region
from hil.deploy.plan import Plan
from hil.deploy.seal import Seal
from hil.documents import json_of
from hil.durable import write_whole
from hil.errors import BundleError

_KEY, FILE = "hil.deployment", "deployment.safetensors"

_OPS: dict[str, Callable[..., Op]] = {
    kind.__name__: kind
    for kind in vars(graphs).values()
    if isinstance(kind, type) and issubclass(kind, Op) and kind not in (Op, graphs.Window)
}


def save(deployment: Deployment) -> None:
    """Writes `deployment` into its folder, last of all files, so that a half-made folder is not found."""
    tensors: dict[str, NDArray[Any]] = {}
    header = {
        "board": deployment.board,
        "clock_hz": deployment.clock_hz,
        "kernels": deployment.kernels,
        "bundle_hash": deployment.bundle_hash.hex(),
        "fusion": deployment.fusion and asdict(deployment.fusion),
        "layers": [asdict(layer) for layer in deployment.layers],
        "memory": pack_plan(deployment.memory),
        "footprint": asdict(deployment.footprint),
        "seal": deployment.seal and asdict(deployment.seal),
        "graph": _pack_graph(deployment.graph, tensors),
    }
    if deployment.symbol_of is not None:
        tensors["symbol_of"] = deployment.symbol_of
    if deployment.exit is not None:
        header["exit_limit"] = deployment.exit.limit
        tensors["exit.exponentials"] = deployment.exit.exponentials
    tensors |= {f"codec.{name}": value for name, value in deployment.codec_tables.items()}
    tensors = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    packed = safetensors.numpy.save(tensors, metadata={_KEY: json.dumps(header)})
    write_whole(deployment.folder / FILE, packed)


def load(folder: Path, bundle: Path) -> Deployment:
    """The deployment of `bundle` in `folder`. Raises BundleError when it is damaged."""
    path = folder / FILE
    try:
        with safetensors.safe_open(path, framework="np") as file:
            header = json_of(file.metadata()[_KEY])
        tensors = safetensors.numpy.load_file(path)
        return Deployment(
            folder=folder,
            elf=folder / "hil.elf",
            bundle=bundle,
            bundle_hash=bytes.fromhex(header["bundle_hash"]),
            manifest=bundles.read_manifest(bundle),
            board=header["board"],
            clock_hz=header["clock_hz"],
            kernels=KernelChoice(header["kernels"]),
            graph=_unpack_graph(header["graph"], tensors),
            symbol_of=tensors.get("symbol_of"),
            fusion=header["fusion"] and Fusion(**header["fusion"]),
            exit=ExitRule(tensors["exit.exponentials"], header["exit_limit"])
            if "exit_limit" in header
            else None,
            codec_tables={name[6:]: v for name, v in tensors.items() if name.startswith("codec.")},
            layers=tuple(Layer(**layer) for layer in header["layers"]),
            memory=unpack_plan(header["memory"]),
            footprint=Footprint(**header["footprint"]),
            seal=header["seal"] and Seal(**header["seal"]),
        )
    except (safetensors.SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise BundleError(f"the build in {folder} is damaged: {error}", "delete that folder") from None


def pack_plan(plan: Plan) -> dict[str, Any]:
    """JSON-ready."""
    return {
        "buffers": [asdict(buffer) for buffer in plan.buffers],
        "arenas": {region.value: asdict(arena) for region, arena in plan.arenas.items()},
        "alive": plan.alive,
    }


def unpack_plan(packed: Mapping[str, Any]) -> Plan:
    """What `pack_plan` packed. Raises KeyError, TypeError or ValueError for anything else."""
    return Plan(
        buffers=tuple(Buffer(**buffer) for buffer in packed["buffers"]),
        arenas={Region(name): Placement(**arena) for name, arena in packed["arenas"].items()},
        alive=tuple(packed["alive"]),
    )


def _pack_graph(graph: Graph, tensors: dict[str, NDArray[Any]]) -> dict[str, Any]:
    ops = []
    for index, op in enumerate(graph.ops):
        packed = {f.name: getattr(op, f.name) for f in fields(op) if f.name != "weights"}
        ops.append({"op": type(op).__name__, **packed})
        if (weights := getattr(op, "weights", None)) is not None:
            tensors |= {f"{index}.{f.name}": getattr(weights, f.name) for f in fields(weights)}
    return {
        "input": graph.input,
        "logits": graph.logits,
        "feature": graph.feature,
        "tensors": [asdict(tensor) for tensor in graph.tensors.values()],
        "ops": ops,
    }


def _unpack_graph(packed: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> Graph:
    ops = []
    for index, item in enumerate(packed["ops"]):
        kind = _OPS[item.pop("op")]
        arguments: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in item.items()}
        if f"{index}.values" in tensors:
            parts = {f.name: tensors[f"{index}.{f.name}"] for f in fields(Weights)}
            arguments["weights"] = Weights(**parts)
        ops.append(kind(**arguments))
    specs = [Tensor(**{**item, "shape": tuple(item["shape"])}) for item in packed["tensors"]]
    by_name = {tensor.name: tensor for tensor in specs}
    return Graph(by_name, tuple(ops), packed["input"], packed["logits"], packed["feature"])
