"""Traces: what a collector on the real protocol is told of an order."""
