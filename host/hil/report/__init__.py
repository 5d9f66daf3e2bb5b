"""What a user sees of a run. Only this package and `cli` print; all of it is fed by session events."""
