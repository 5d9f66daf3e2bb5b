"""The two networks of a bundle, with their weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from hil.bundle import Bundle, Manifest
from hil.errors import BundleError, HilError
from hil.schemes import registry

Build = Callable[[Manifest], nn.Module]


def _built(build: Build, manifest: Manifest) -> nn.Module:
    """Raises BundleError where the manifest describes no network."""
    try:
        return build(manifest)
    except HilError:
        raise
    except Exception as error:  # the settings are anybody's, and of any type
        words = f"the bundle's settings make no network: {type(error).__name__}: {error}"
        raise BundleError(words, "train it again") from None


def _load(build: Build, bundle: Bundle, part: str) -> nn.Module:
    """The module with the tensors under `part.`; every one must be there, finite and of its shape.

    A sketch that has no memory comes first: what the settings announce is made only where the tensors are as
    large.
    """
    given = {name: torch.from_numpy(value.copy()) for name, value in bundle.part(part).items()}
    with torch.device("meta"):
        sketch = _built(build, bundle.manifest)
    wanted = {
        name: value for name, value in sketch.state_dict().items() if not name.endswith("num_batches_tracked")
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
    module = _built(build, bundle.manifest)
    module.load_state_dict(given, strict=False)
    return module.requires_grad_(False).eval()


def load_device(bundle: Bundle) -> nn.Module:
    """The device half, in evaluation mode. Raises BundleError when weights and manifest disagree."""
    scheme = registry.get(bundle.manifest.scheme)
    return _load(scheme.build_device, bundle, "device")


def load_server(bundle: Bundle) -> nn.Module:
    """The server half, in evaluation mode. Raises BundleError when weights and manifest disagree."""
    scheme = registry.get(bundle.manifest.scheme)
    return _load(scheme.build_server, bundle, "server")


def load_halves(bundle: Bundle) -> tuple[nn.Module, nn.Module]:
    """Device and server half."""
    return load_device(bundle), load_server(bundle)
