"""Folds are what the records that count add up to: a module per context, with the steps that are legal."""
