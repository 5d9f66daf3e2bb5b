"""The two networks of a bundle, with their weights."""

from __future__ import annotations

import torch
from torch import nn

from hil.bundle import Bundle
from hil.errors import BundleError
from hil.schemes import registry


def _load(module: nn.Module, bundle: Bundle, part: str) -> nn.Module:
    """`module` with the tensors under `part.`; every one must be there, finite and of its shape."""
    given = {name: torch.from_numpy(value.copy()) for name, value in bundle.part(part).items()}
    wanted = {
        name: value for name, value in module.state_dict().items() if not name.endswith("num_batches_tracked")
    }
    if odd := sorted(given.keys() ^ wanted.keys()):
        raise BundleError(f"the bundle's {part} half lacks or adds the tensor {odd[0]!r}", "train it again")
    for name, value in given.items():
        if value.shape != wanted[name].shape:
            raise BundleError(
                f"the bundle's {part}.{name} has shape {tuple(value.shape)}, not {tuple(wanted[name].shape)}",
                "train it again",
            )
        if not torch.isfinite(value).all():
            raise BundleError(f"the bundle's {part}.{name} is not finite", "train it again")
    module.load_state_dict(given, strict=False)
    return module.requires_grad_(False).eval()


def load_device(bundle: Bundle) -> nn.Module:
    """The device half, in evaluation mode. Raises BundleError when weights and manifest disagree."""
    scheme = registry.get(bundle.manifest.scheme)
    return _load(scheme.build_device(bundle.manifest), bundle, "device")


def load_server(bundle: Bundle) -> nn.Module:
    """The server half, in evaluation mode. Raises BundleError when weights and manifest disagree."""
    scheme = registry.get(bundle.manifest.scheme)
    return _load(scheme.build_server(bundle.manifest), bundle, "server")


def load_halves(bundle: Bundle) -> tuple[nn.Module, nn.Module]:
    """Device and server half."""
    return load_device(bundle), load_server(bundle)
