"""The gate holds what the code says now against what was promised: old events and old clients must be understood."""
