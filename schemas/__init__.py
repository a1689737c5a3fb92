"""Schemas are the shapes that cross the process boundary and are not events: values, commands, settings."""
