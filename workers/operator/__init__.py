"""Operator is what those who keep this running may ask and do; each file is one group of commands."""
