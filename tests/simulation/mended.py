"""Mended keeps found faults of the application from hiding others, for as long as test_found.py is red about them.

When a fault is mended, its strict xfail there fails: then both that mark and the patch here go.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from events.hub import Feed
from workers.hotset import HotSet


@contextmanager
def mended() -> Iterator[None]:
    """The application without these faults."""
    begin, evict = Feed._begin, HotSet._evict

    def begin_where_somebody_follows(feed: Feed) -> None:
        feed._ahead.intersection_update(feed._next)
        begin(feed)

    def evict_what_can_come_back(hot: HotSet) -> None:
        if hot._point is not None:
            evict(hot)

    with (
        patch.object(Feed, "_begin", begin_where_somebody_follows),
        patch.object(HotSet, "_evict", evict_what_can_come_back),
    ):
        yield
