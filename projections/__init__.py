"""Projections are the read side: per context a view, how events change it, and the questions it answers."""
