"""Simulation runs the whole system in one process on virtual time: one seed decides everything that happens."""
