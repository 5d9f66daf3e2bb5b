"""Many generated models as one translation unit: what each costs to compile is mostly the headers."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from hil import paths
from hil.deploy.build import Toolchain, prepare_toolchain
from hil.deploy.emit import Model, emit
from hil.wire import header
from hil_tests.twin.graph_image import FLAGS, LINK, PACK

_INCLUDE: Final = re.compile(r"^#include .*\n", re.MULTILINE)
_OWN: Final = re.compile(
    r"(?<![.\w>])(hil_model(?:_\w+)?|layer\d+_\w+|layer_cycles|spans|reply|pack|payload_bytes|symbol_of|hil_codec_table|hil_exit_table)\b"
)
"""What a model defines at file scope."""
_TYPES: Final = ("hil_model_t", "hil_model_buffers_t")


@cache
def toolchain() -> Toolchain:
    return prepare_toolchain()


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """As long as the process lives: the generated header, and objects that every image has."""
    made = tempfile.TemporaryDirectory(prefix="hil-neighbourhood-")
    header.write(Path(made.name))
    return made


def _includes(tools: Toolchain) -> list[str]:
    folders = (
        *(paths.MCU / room for room in ("runtime", "kernels", "codec")),
        Path(_folder().name),
        tools.cmsis.nn / "Include",
        tools.cmsis.core_include,
        tools.cmsis.device_include,
    )
    return [f"-isystem{folder}" for folder in folders]


@cache
def _objects() -> tuple[str, ...]:
    """The firmware's own kernels, codecs and quantiser, compiled once a process."""
    tools, folder = toolchain(), Path(_folder().name)
    sources = [source for room in ("kernels", "codec") for source in sorted((paths.MCU / room).glob("*.c"))]
    sources.append(paths.MCU / "runtime" / "quantise.c")
    _compile([str(tools.compiler.path), *FLAGS, *_includes(tools), "-c", *map(str, sources)], folder)
    return tuple(str(folder / f"{source.stem}.o") for source in sources)


def _compile(command: list[str], folder: Path | None = None) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert answer.returncode == 0, answer.stderr


def build(models: Sequence[Model], folder: Path, more: str = "", *, packs: Sequence[bool] = ()) -> Path:
    """An ELF in which model i is `hil_model_run_<i>` with `hil_model_buffers_<i>`, and `ask_pack_<i>`.

    `more` is C that is compiled with them; functions in it are kept whose names begin with `ask_`.
    """
    packing = [index for index, packs_it in enumerate(packs) if packs_it]
    texts = [
        emit(model) + (PACK.format(index="own") if index in packing else "")
        for index, model in enumerate(models)
    ]
    includes = dict.fromkeys(line for text in (*texts, more) for line in _INCLUDE.findall(text))
    unit = "".join(includes) + "".join(_apart(text, index) for index, text in enumerate(texts))
    source, elf = folder / "models.c", folder / "models.elf"
    source.write_text(unit + _INCLUDE.sub("", more))
    names = [name for i in range(len(models)) for name in (f"hil_model_run_{i}", f"hil_model_buffers_{i}")]
    names += [name for i in packing for name in (f"ask_pack_{i}", f"hil_model_{i}")]
    names += re.findall(r"\b(ask_\w+)\(", more)
    tools = toolchain()
    _compile(
        [
            *(str(tools.compiler.path), *FLAGS, *_includes(tools), str(source), *_objects()),
            *(str(tools.cmsis_nn_library), *LINK, "-Wl,-u," + ",-u,".join(dict.fromkeys(names))),
            *("-Wl,-e," + names[0], "-o", str(elf)),
        ]
    )
    return elf


def _apart(text: str, index: int) -> str:
    """One model with names and macros of its own."""

    def own(found: re.Match[str]) -> str:
        return found[1] if found[1] in _TYPES else f"{found[1]}_{index}"

    undone = "\n#undef LAYER\n#undef sram_at\n#undef dtcm_at\n#undef arena_at\n"
    declared = f"extern const hil_model_t hil_model_{index};\n"
    return declared + _OWN.sub(own, _INCLUDE.sub("", text)).replace("pack_own", f"ask_pack_{index}") + undone
