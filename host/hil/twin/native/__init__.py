"""The twin's hot path in C, built on first use with the host's compiler."""
