"""Faults: a whole running system is hurt on purpose, and a checker that trusts none of it says what has held."""
