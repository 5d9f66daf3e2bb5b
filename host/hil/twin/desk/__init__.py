"""A twin on the desk: a board with a supply, a probe and a serial cable, in a process of its own."""
