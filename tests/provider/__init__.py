"""Tests of the payment provider: the port's contract, the adapter over HTTP, its breaker, and the stub."""
