"""Values that the shell completes. Completion must never print, so a broken registry completes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def _quietly(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        try:
            return [name for name in names() if name.startswith(incomplete)]
        except Exception:
            return []

    return complete


def _schemes() -> Iterable[str]:
    from hil.schemes import registry

    return registry.names()


def _datasets() -> Iterable[str]:
    from hil.data import registry

    return registry.names()


def _boards() -> Iterable[str]:
    from hil.boards import registry

    return registry.names()


def _radios() -> Iterable[str]:
    from hil.link import RADIOS

    return (*RADIOS, "custom:")


def _wirings() -> Iterable[str]:
    from hil.twin import wiring

    return wiring.names()


def _timings() -> Iterable[str]:
    from hil.twin.timing.model import Timing

    return tuple(Timing)


def _groups() -> Iterable[str]:
    from hil.report.figures import GROUPS

    return GROUPS


def _kernels() -> Iterable[str]:
    from hil.deploy.deployment import KernelChoice

    return tuple(KernelChoice)


def _codecs() -> Iterable[str]:
    from hil.codec.coder import CODECS

    return ("auto", *CODECS)


def _shipped() -> Iterable[str]:
    from hil.zoo import shelf

    return shelf.names()


def _experiments() -> Iterable[str]:
    from hil.experiments import registry

    return (*registry.names(), "all", "list")


def _neighbourhoods() -> Iterable[str]:
    from hil.neighbourhood import find

    return (*(template.name for template in find.templates()), find.ALL, "list")


def _faults() -> Iterable[str]:
    from hil.faults.registry import KINDS

    return ("list", *KINDS)


def _kinds() -> Iterable[str]:
    from hil.faults.registry import KINDS

    return KINDS


def _report_formats() -> Iterable[str]:
    from hil.report.formats import FORMATS

    return FORMATS


schemes = _quietly(_schemes)
experiments = _quietly(_experiments)
neighbourhoods = _quietly(_neighbourhoods)
datasets = _quietly(_datasets)
boards = _quietly(_boards)
wirings = _quietly(_wirings)
timings = _quietly(_timings)
radios = _quietly(_radios)
groups = _quietly(_groups)
kernels = _quietly(_kernels)
codecs = _quietly(_codecs)
faults = _quietly(_faults)
kinds = _quietly(_kinds)
shipped = _quietly(_shipped)
report_formats = _quietly(_report_formats)
