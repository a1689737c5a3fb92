"""The stub is a payment provider to develop and test against: a process and a ledger of its own, honest about keys."""
