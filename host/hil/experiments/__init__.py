"""The papers' experiments as data: one small file each, swept over the cores, kept cell by cell."""
