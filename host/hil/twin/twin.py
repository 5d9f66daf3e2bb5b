"""The emulated STM32F746: put the parts together, run them, and look inside."""

from __future__ import annotations

from collections.abc import Callable

from hil.errors import BoardError, UsageError
from hil.twin.appointments import Appointments
from hil.twin.bus import RANGES, Bus
from hil.twin.calls import CALL_BUDGET_INSTRUCTIONS, Caller, Variables
from hil.twin.clock import CYCLES_PER_INSTRUCTION_PERCENT, Clock, to_fs, to_s
from hil.twin.core import Core
from hil.twin.debug.unit import DebugUnit
from hil.twin.diagnosis import Diagnosis
from hil.twin.engine import Engine
from hil.twin.exceptions import ExceptionUnit
from hil.twin.fault_unit import Faults, FaultUnit, faults_of
from hil.twin.faults import FaultReporter
from hil.twin.fp_context import FpContext
from hil.twin.gate import Gate
from hil.twin.image import Image
from hil.twin.machine import HSI_HZ, ClockTree, Machine, ResetCause
from hil.twin.memory import Memory
from hil.twin.mpu import MpuRegions
from hil.twin.nvic import Nvic
from hil.twin.peripherals import layout
from hil.twin.peripherals.gpio import Gpio
from hil.twin.peripherals.itm import Itm
from hil.twin.power.trace import PowerTrace
from hil.twin.profile import Profile, Recorder, require_cycles
from hil.twin.protection import Protection
from hil.twin.scheduler import Scheduler
from hil.twin.state import NEVER, CoreState
from hil.twin.stop import Stop, StopReason
from hil.twin.supply import Supply
from hil.twin.timing.model import Breakdown, Timing, TimingModel, timing_of
from hil.twin.timing.parameters import DEFAULT, Parameters
from hil.twin.uart import Uart

HSE_DISCO_HZ = 25_000_000


class Twin:
    """An STM32F746 that runs `image` in virtual time, the same way every time.

    Without an image the flash is erased, as in a chip fresh from the factory.
    `native` chooses the block hook: None takes the C one where a compiler is found, True demands
    it, False takes the slow Python one. `on_warning` sees each warning as it comes; all of them are
    in `warnings`. `timing` chooses how time is kept; `parameters` are those of the cycle model.
    `faults`: whether a fault ends the run or goes to firmware's handlers, and its report to `on_warning`.
    `seed` decides what a lost supply leaves in memories.
    `profile` records where cycles go. Raises UsageError when the timing counts none.
    """

    def __init__(
        self,
        image: Image | None = None,
        *,
        hse_hz: int = HSE_DISCO_HZ,
        native: bool | None = None,
        timing: Timing | str = Timing.INSTRUCTIONS,
        parameters: Parameters = DEFAULT,
        seed: int = 0,
        faults: Faults | str = Faults.STOP,
        profile: bool = False,
        on_warning: Callable[[str], None] = lambda message: None,
    ) -> None:
        self.image = image or Image.blank()
        self.warnings: list[str] = []
        self._on_warning = on_warning
        self._faults = faults_of(faults)
        self._state = CoreState(
            ticks_per_instruction=CYCLES_PER_INSTRUCTION_PERCENT, instruction_limit=NEVER, fpu_off=1
        )
        self.memory = Memory()
        clock = Clock(self._state, HSI_HZ)
        tree = ClockTree(hse_hz, apply_core=clock.set_hz)
        self._machine = Machine(self._state, clock, Scheduler(), self.memory, tree, self._warn)
        chosen = timing_of(timing)
        self._timing = (
            None
            if chosen is Timing.INSTRUCTIONS
            else TimingModel(self._state, self.memory, chosen, parameters)
        )
        if profile:
            require_cycles(chosen)
        recorded = self._timing if profile else None
        self._recorder = None if recorded is None else Recorder(self._state, recorded.state, self.image)
        self._engine = Engine(self.memory, self._state, native, self._timing, self._recorder)
        self._appointments = Appointments()
        self._build(seed)
        self._load()
        self._machine.stop_request = False
        self.reset(ResetCause.POWER_ON)

    def _build(self, seed: int) -> None:
        machine, engine = self._machine, self._engine
        machine.nvic = Nvic(machine)
        mpu = MpuRegions()
        protection = Protection(engine, self.memory, mpu, self._warn)
        faults = FaultUnit(
            self._faults, machine.nvic, FaultReporter(engine, self.memory, self.image), self._warn
        )
        context = FpContext(engine, self._state, self.memory, machine.clock, protection)
        self._exceptions = ExceptionUnit(
            engine, self.memory, machine.nvic, machine.clock, faults, context, protection
        )
        self._exceptions.observer = self._recorder or self._exceptions.observer
        self._debug: DebugUnit | None = None
        self.bus = Bus()
        self.peripherals = layout.build(machine, self.bus, self._exceptions, mpu, protection, seed)
        self.power = PowerTrace(machine, self.peripherals.all, lambda: machine.clock.stopped_fs)
        engine.on_flash_store = machine.flash.store
        engine.may_store = protection.may_store
        engine.on_flash_open = protection.restore
        scb = self.peripherals.scb
        gate = Gate(self.bus, protection, scb, self.peripherals.itm)
        write = gate.write if self._timing is None else self._timing.watching(self.bus.read, gate.write)
        write = self.power.watching(write)
        for base, size in RANGES:
            engine.map_peripherals(base, size, gate.read, write)
        machine.stop_here = engine.stop_here
        self._supply = Supply(engine, self.memory, self.peripherals, seed)
        diagnosis = Diagnosis(machine, engine, self._exceptions, protection, gate, scb)
        self._core = Core(machine, engine, self._exceptions, scb, self.peripherals.low_power, diagnosis)
        self._uarts = {number: Uart(port, machine) for number, port in self.peripherals.usarts.items()}
        self._caller = Caller(self._core, engine, self.memory, self._state)
        self._variables = Variables(self.image, self.memory)

    def _load(self) -> None:
        for segment in self.image.segments:
            if not self.memory.holds(segment.load_address, len(segment.data)):
                raise BoardError(
                    f"{self.image.path} puts {len(segment.data)} bytes at 0x{segment.load_address:08x}, "
                    "where the STM32F746 has no memory",
                    "link it for flash at 0x08000000",
                )
            self.memory.write(segment.load_address, segment.data)

    @property
    def now_s(self) -> float:
        """Virtual time since power-on, in seconds."""
        return to_s(self._machine.clock.elapsed_fs)

    @property
    def cycles(self) -> int:
        """Core cycles since power-on during which the core was awake."""
        return self._machine.clock.awake_cycles

    @property
    def sleep_cycles(self) -> int:
        """Core cycles since power-on that passed in WFI or WFE."""
        return self._machine.clock.cycles - self._machine.clock.awake_cycles

    @property
    def instructions(self) -> int:
        """Instructions executed since power-on."""
        return self._state.instructions

    @property
    def breakdown(self) -> Breakdown | None:
        """Where the cycles went since power-on; None when only instructions are counted."""
        return None if self._timing is None else self._timing.breakdown()

    def profile(self) -> Profile:
        """Where the cycles went since power-on, function by function. Raises UsageError unless recorded."""
        if self._recorder is None:
            raise UsageError("this twin records no profile", "make it with profile=True")
        return Profile.of(self._recorder, self.image)

    @property
    def hclk_hz(self) -> int:
        """The core clock as firmware has set it."""
        return self._machine.tree.hclk_hz

    @property
    def sleeping(self) -> bool:
        """The core waits in WFI or WFE."""
        return self._core.sleeping

    @property
    def locked_up(self) -> bool:
        """A fault that no handler could take stopped the core; a reset leaves this."""
        return self._core.locked_up

    @property
    def itm(self) -> Itm:
        """What firmware writes to the ITM's stimulus port 0."""
        return self.peripherals.itm

    @property
    def native(self) -> bool:
        """Whether the native block hook runs; otherwise `fallback_reason` says why not."""
        return self._engine.counter.native

    @property
    def fallback_reason(self) -> str:
        """Why the Python block hook runs, "" when the native one does."""
        return self._engine.counter.fallback_reason

    def reset(self, cause: ResetCause = ResetCause.PIN) -> None:
        """Resets the chip and fetches stack and entry from the vector table. RAM keeps its contents."""
        self._engine.require_open()
        self._supply.require_on()
        self.power.settle()
        self._machine.reset_request = None
        if cause is ResetCause.POWER_ON:
            self.peripherals.power_on(self._supply.vbat)
        self.peripherals.rcc.note_reset(cause)
        self.peripherals.reset()
        if self._timing is not None:
            self._timing.follow(0, 0)
        self._exceptions.vector_table = self.image.vector_table
        stack, entry = (self.memory.word(self.image.vector_table + at) for at in (0, 4))
        self._core.reset(stack, entry)
        if self._debug is not None:
            self._debug.after_reset(cause)

    @property
    def debug(self) -> DebugUnit:
        """The debug port, and how to run the twin under it; costs nothing before it is first used."""
        if self._debug is None:
            self._debug = DebugUnit(
                self._machine,
                self._engine,
                self._core,
                self._exceptions,
                self.bus,
                self.peripherals,
                self.run,
                self.reset,
                timed=self._timing is not None,
            )
        return self._debug

    def on_programmed(self, stops: Callable[[int], bool]) -> None:
        """Calls `stops` with the bytes of each programming of flash; true ends the run as it begins."""

        def programmed(size: int) -> None:
            if stops(size):
                self._machine.stop_request = True
                self._machine.attention()

        self._machine.flash.array.on_program = programmed

    def power_off(self, *, vbat: bool = False) -> None:
        """The supply falls away; `vbat` feeds the backup domain on. Memory can still be looked at.

        RAM and registers are lost, and a flash operation that runs ends half-way.
        """
        self._engine.require_open()
        self._supply.off(vbat=vbat)

    def power_on(self) -> None:
        """The supply is back: the chip starts from the vector table in its flash."""
        self._supply.on = True
        self._machine.stop_request = False
        self.reset(ResetCause.POWER_ON)

    def at_instruction(self, count: int, action: Callable[[], None], *, exact: bool = False) -> None:
        """Calls `action` between two instructions, once `count` are executed since power-on.

        At the begin of a block, unless it is to be `exact`: then the last instructions before are executed
        one by one, and their time is an estimate. A core that sleeps executes none.
        """
        self._appointments.add(count, action, exact)

    def forget_appointments(self) -> None:
        """Actions of `at_instruction` that are still to come do not."""
        self._appointments.clear()

    def brown_out(self) -> None:
        """Resets the chip as a supply that dipped: RAM keeps its contents, RCC_CSR has BORRSTF."""
        self._machine.request_reset(ResetCause.BROWN_OUT)

    def hang(self) -> None:
        """The core executes nothing more, as one that spins with interrupts masked; watchdogs go on."""
        self._core.locked_up = True

    def run(self, until_s: float) -> Stop:
        """Runs until virtual time `until_s`, or until a reset, lockup, or bytes from a watched UART.

        A core that locked up stays so: the next runs only let time pass, in which a watchdog may reset
        the chip. After a reset the chip is ready to boot with the next run. Raises TwinFault.
        """
        self._engine.require_open()
        self._supply.require_on()
        self._variables.initialised = True
        reason = self._core.run(to_fs(until_s), self._appointments.soon)
        while reason is StopReason.BUDGET:
            self._appointments.keep(self._core, self._machine)
            reason = self._core.run(to_fs(until_s), self._appointments.soon)
        detail = ""
        if reason is StopReason.RESET and self._machine.reset_request is not None:
            detail = self._machine.reset_request.value
            self.reset(self._machine.reset_request)
        return Stop(reason, self.now_s, detail)

    def call(
        self,
        function: str | int,
        *args: int,
        budget_instructions: int = CALL_BUDGET_INSTRUCTIONS,
    ) -> int:
        """Calls a function of the image by the AAPCS without booting it, and returns r0.

        Arguments are 32-bit words: four in registers, the rest on the stack. Variables are set up
        as start-up code would once per twin, the FPU is on. Raises TwinFault, and BoardError when
        the budget is spent.
        """
        self._engine.require_open()
        self._supply.require_on()
        address = self.symbol(function) if isinstance(function, str) else function
        self._variables.initialise()
        self.peripherals.scb.enable_fpu()
        return self._caller.call(str(function), address, args, budget_instructions)

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes of memory at `address`."""
        return self.memory.read(address, size)

    def write(self, address: int, data: bytes) -> None:
        """Stores `data` in memory, flash included; code that changed is translated anew."""
        self._variables.initialise()  # or the first call would overwrite what is written here
        self.memory.write(address, data)
        region = self.memory.region(address)
        if region is not None and not region.writable:
            self.flush()

    def flush(self) -> None:
        """Forgets translated code; needed after the host wrote code into RAM."""
        self._engine.flush()

    def symbol(self, name: str) -> int:
        """The address of a symbol of the image. Raises BoardError."""
        try:
            return self.image.symbols[name]
        except KeyError:
            raise BoardError(f"{self.image.path} has no symbol {name!r}", "was it linked in?") from None

    def uart(self, number: int) -> Uart:
        """Port 1 to 8."""
        return self._uarts[number]

    def gpio(self, port: str) -> Gpio:
        """Port "A" to "K": its pins can be driven and looked at."""
        return self.peripherals.gpios[f"GPIO{port}"]

    def close(self) -> None:
        """Frees the emulator."""
        self._engine.close()

    def _warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)
            self._on_warning(message)
