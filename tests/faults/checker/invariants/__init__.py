"""Invariants are what must hold, a module per theme; what can be seen record by record is seen during the one pass."""
