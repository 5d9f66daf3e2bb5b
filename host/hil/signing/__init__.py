"""Bundles that are signed, and those whose signatures are trusted."""
