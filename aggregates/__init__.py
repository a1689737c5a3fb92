"""Aggregates are the rules: one file per context with its state, evolve, and one function per command."""
