"""Events are what happened, and the log that remembers it."""
