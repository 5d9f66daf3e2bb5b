"""Trained bundles that come with hil, each with a model card."""
