"""What analysts do with the history: take it out as data."""
