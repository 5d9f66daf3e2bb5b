"""Data sets: one file each. `get` finds one by name."""

from hil.data.dataset import Dataset, Split, SplitName
from hil.data.registry import get, names

__all__ = ["Dataset", "Split", "SplitName", "get", "names"]
