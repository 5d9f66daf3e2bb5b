"""Benchmarks: figures that take minutes, printed as one table with what they rest on."""
