"""The calibration set: programs with published or derivable cycle counts, built and run on the twin."""
