"""What a run ran: copied beside its results, so that both can be found together later."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from hil.deploy.deployment import Deployment
from hil.deploy.key import write_key
from hil.deploy.store import pack_plan
from hil.session.folder import RunFolder


def keep_artefacts(folder: RunFolder, deployment: Deployment) -> None:
    """Copies ELF, map and generated sources where they exist. Raises SessionError."""
    for path in (
        deployment.elf,
        deployment.elf.with_suffix(".map"),
        *sorted(deployment.folder.glob("model.[ch]")),
    ):
        if path.is_file():
            folder.write_bytes(f"artefacts/{path.name}", path.read_bytes())
    layers = [layer.name for layer in deployment.layers]
    memory = json.dumps({"layers": layers, **pack_plan(deployment.memory)}, indent=1) + "\n"
    folder.write_bytes("artefacts/memory.json", memory.encode())
    manifest = json.dumps(asdict(deployment.manifest), indent=2, ensure_ascii=False) + "\n"
    folder.write_bytes("artefacts/manifest.json", manifest.encode())
    line = f"{deployment.bundle_hash.hex()}  {deployment.bundle.name}\n"
    folder.write_bytes("artefacts/bundle.sha256", line.encode())


@contextlib.contextmanager
def keyed_image(elf: Path, key: bytes | None) -> Iterator[Path]:
    """What to flash: `elf`, or a copy with a device's `key`, which is gone when the context ends."""
    if key is None:
        yield elf
        return
    with tempfile.TemporaryDirectory(prefix="hil-key-") as folder:
        write_key(elf, key, Path(folder) / elf.name)
        yield Path(folder) / elf.name
