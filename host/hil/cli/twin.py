"""`hil twin IMAGE`: any STM32F746 image on the emulated board, its UARTs where you want them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hil.cli import options
from hil.errors import UsageError

_PLACES = "stdio, pty or tcp:PORT"


def twin(
    image: Annotated[
        Path | None,
        typer.Argument(help="An ELF, or a BIN linked at 0x08000000; not needed with --probe."),
    ] = None,
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
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Keep the board's time from running ahead of the clock.")
    ] = False,
    probe: Annotated[
        bool, typer.Option("--probe", help="Put a board on the desk: a debug probe for pyOCD, a serial port.")
    ] = False,
    board: Annotated[
        str, typer.Option("--board", help="With --probe: nucleo_f746zg or disco_f746g.")
    ] = "nucleo_f746zg",
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
    """Run an image on the emulated STM32F746; USART1 is on stdio unless any UART is given a place."""

    def tell(message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    if probe:
        from hil.twin.desk.desk import run_desk

        return run_desk(image, board=board, unique_id=unique_id, flash=flash, fast=fast, on_message=tell)
    if image is None:
        raise UsageError("missing argument IMAGE", "see: hil twin --help; only --probe needs none")
    from hil.twin.console import run_console

    given = enumerate((uart1, uart2, uart3, uart4, uart5, uart6, uart7, uart8), start=1)
    uarts = {number: place for number, place in given if place is not None}
    # Standard output belongs to the firmware.
    return run_console(
        image,
        uarts or {1: "stdio"},
        seconds,
        on_warning=lambda message: print(f"warning: {message}", file=sys.stderr, flush=True),
        on_connection=tell,
        realtime=realtime,
    )
