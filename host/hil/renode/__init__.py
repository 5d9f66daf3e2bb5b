"""Renode as a board: found, started, driven through its Monitor, and always ended."""
