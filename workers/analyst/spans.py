"""Spans writes durations as people say them."""

from datetime import timedelta


def span(time: timedelta) -> str:
    """A duration in two units at most: 12 ms, 3.4 s, 5 min 10 s, 2 d 3 h."""
    seconds = time.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:,.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for big, name, small, other in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= big:
            return f"{whole // big} {name} {whole % big // small} {other}"
    return f"{whole // 60} min {whole % 60} s"
