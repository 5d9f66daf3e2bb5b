"""The schemes hil knows, by name."""

from __future__ import annotations

from hil.errors import unknown_name
from hil.schemes.agilenn import AgileNN
from hil.schemes.edge_only import EdgeOnly
from hil.schemes.mcunet import McuNet
from hil.schemes.scheme import Scheme

_SCHEMES: dict[str, Scheme] = {scheme.name: scheme for scheme in (AgileNN(), EdgeOnly(), McuNet())}


def names() -> tuple[str, ...]:
    """Every scheme's name; the default comes first."""
    return tuple(_SCHEMES)


def get(name: str) -> Scheme:
    """The scheme called `name`. Raises UsageError, listing the valid names, for any other."""
    try:
        return _SCHEMES[name]
    except KeyError:
        raise unknown_name("scheme", name, _SCHEMES) from None
