"""The kinds of faults: one file for each, or for a small family."""
