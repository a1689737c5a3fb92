"""The model checks search every state that small worlds of the fenced log can reach (docs/fenced-log.md)."""
