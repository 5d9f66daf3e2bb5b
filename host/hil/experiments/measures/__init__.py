"""What a cell of an experiment can measure: one file each."""
