"""C text that all families write: arrays, shapes."""

from __future__ import annotations

from collections.abc import Iterable


def array(c_type: str, name: str, values: Iterable[int], alignment: int = 0) -> str:
    """A constant C array, sixteen values a line, at a multiple of `alignment` bytes where that is given."""
    numbers = [str(int(value)) for value in values]
    rows = (", ".join(numbers[i : i + 16]) for i in range(0, len(numbers), 16))
    text = ",\n    ".join(rows)
    aligned = f" __attribute__((aligned({alignment})))" if alignment else ""
    return f"static const {c_type} {name}[{len(numbers)}]{aligned} = {{\n    {text},\n}};\n"


def fields(values: dict[str, int]) -> tuple[str, ...]:
    """The lines of a struct's initialiser."""
    return tuple(f"    .{name} = {value}," for name, value in values.items())


def shape_text(shape: tuple[int, int, int]) -> str:
    """96x96x3."""
    return "x".join(str(extent) for extent in shape)
