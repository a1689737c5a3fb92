"""Builders make commands and events with sensible defaults; the order is A unless a test says otherwise."""
