"""One module a target: `one(data)` takes any bytes, `seeds()` gives sound ones."""
