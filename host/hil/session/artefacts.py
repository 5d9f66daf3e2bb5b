"""What a run ran: copied beside its results, so that both can be found together later."""

from __future__ import annotations

import json
from dataclasses import asdict

from hil.deploy.deployment import Deployment
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
