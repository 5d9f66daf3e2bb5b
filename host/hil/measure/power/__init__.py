"""The power model: current as a function of clock, state, IPC and peripherals (docs/power.md)."""
