"""The twin's side of the power model: what the chip was doing, and for how long."""
