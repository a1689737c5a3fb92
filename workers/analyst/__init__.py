"""Analyst is for those who have questions about what happened: exports, SQL, time travel, one order explained."""
