"""Faults that a run orders: what can break, when it does, and how the sample it hit ended."""
