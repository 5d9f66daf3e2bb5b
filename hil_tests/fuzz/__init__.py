"""Fuzz targets, what they are run with, and the inputs that were worth keeping. See docs/fuzzing.md."""
