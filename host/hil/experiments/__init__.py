"""The papers' experiments as data, and sweeps over them."""
