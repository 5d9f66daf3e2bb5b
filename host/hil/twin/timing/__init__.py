"""The cycle model of the twin's Cortex-M7: pipeline, branch prediction, caches and buses."""
