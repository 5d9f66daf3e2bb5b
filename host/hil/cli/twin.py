"""`hil twin IMAGE`: any STM32F746 image on the emulated board, its UARTs where you want them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hil.cli import complete, options
from hil.errors import UsageError

_PLACES = "stdio, pty or tcp:PORT"


def twin(
    image: Annotated[
        Path | None,
        typer.Argument(help="An ELF, or a BIN linked at 0x08000000; not needed with --probe."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="With --profile: where its files go.")
    ] = None,
    board: Annotated[
        str,
        typer.Option(
            "--board", "-b", help="Whose oscillator and UART it has.", autocompletion=complete.wirings
        ),
    ] = "disco_f746g",
    uart1: Annotated[str | None, typer.Option("--uart1", help=f"USART1: {_PLACES}.")] = None,
    uart2: Annotated[str | None, typer.Option("--uart2", help="USART2.", hidden=True)] = None,
    uart3: Annotated[str | None, typer.Option("--uart3", help="USART3.", hidden=True)] = None,
    uart4: Annotated[str | None, typer.Option("--uart4", help="UART4.", hidden=True)] = None,
    uart5: Annotated[str | None, typer.Option("--uart5", help="UART5.", hidden=True)] = None,
    uart6: Annotated[str | None, typer.Option("--uart6", help="USART6.", hidden=True)] = None,
    uart7: Annotated[str | None, typer.Option("--uart7", help="UART7.", hidden=True)] = None,
    uart8: Annotated[str | None, typer.Option("--uart8", help="UART8; --uart2 to --uart7 likewise.")] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0, help="Stop after so much of the board's time.")
    ] = None,
    timing: Annotated[
        str,
        typer.Option(
            "--timing",
            help="How time is kept: instructions (fast), issue, pipeline, cycles, exact (slow).",
            autocompletion=complete.timings,
        ),
    ] = "cycles",
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Keep the board's time from running ahead of the clock.")
    ] = False,
    swo: Annotated[
        bool, typer.Option("--swo", help="Show what firmware writes to ITM port 0, on standard error.")
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Tell where the cycles went; files go to DIR or IMAGE.profile.")
    ] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Put a board on the desk: a debug probe for pyOCD, a serial port.")
    ] = False,
    unique_id: Annotated[
        str | None, typer.Option("--id", help="With --probe: the unique ID of the probe.")
    ] = None,
    flash: Annotated[
        Path | None, typer.Option("--flash", help="With --probe: the file that keeps the flash.")
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="With --probe: do not hold virtual time back to the wall clock.")
    ] = False,
    verbose: options.Verbose = False,
) -> int:
    """Run an image on the emulated STM32F746; the board's UART is on stdio unless any is given a place."""
    if probe:
        from hil.twin.desk.desk import run_desk

        return run_desk(image, board=board, unique_id=unique_id, flash=flash, fast=fast, on_message=_tell)
    if image is None:
        raise UsageError("no image was given", "name an ELF or BIN, or say --probe")
    from hil.cli.twin_profile import profiler
    from hil.twin.console import run_console
    from hil.twin.timing.model import timing_of
    from hil.twin.wiring import load_wiring

    wiring = load_wiring(board)
    kept = timing_of(timing)
    given = enumerate((uart1, uart2, uart3, uart4, uart5, uart6, uart7, uart8), start=1)
    uarts = {number: place for number, place in given if place is not None}
    # Standard output belongs to the firmware.
    return run_console(
        image,
        uarts or {wiring.uart: "stdio"},
        seconds,
        on_warning=lambda message: print(f"warning: {message}", file=sys.stderr, flush=True),
        on_connection=_tell,
        realtime=realtime,
        hse_hz=wiring.hse_hz,
        timing=kept,
        on_trace=_to_stderr if swo else None,
        on_profile=profiler(image, profile, folder, kept),
    )


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _to_stderr(data: bytes) -> None:
    sys.stderr.buffer.write(data)
    sys.stderr.buffer.flush()
