"""The auto-tuner: times every way to compute a graph's ops on the twin, so that lowering can choose."""
