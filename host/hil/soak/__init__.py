"""Run after run with random faults, for hours: whether anything leaks, hangs or is silently wrong."""
