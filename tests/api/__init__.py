"""The API, door to door."""
