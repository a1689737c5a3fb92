"""Moments are the types of events on an undisturbed order's way, by the request that is behind them."""

PLACING = (
    "order.placed.v1",
    "stock.reserved.v1",
    "reservation.made.v1",
    "order.lines_reserved.v1",
    "order.stock_secured.v1",
    "payment.requested.v1",
    "payment.authorized.v1",
    "order.confirmed.v1",
    "payment.capture_requested.v1",
    "payment.captured.v1",
    "reservation.committed.v1",
    "order.lines_committed.v1",
    "notification.requested.v1",
    "notification.delivered.v1",
)
SHIPPING = ("order.shipped.v1", "stock.shipped.v1", "reservation.shipped.v1")
DELIVERING = ("order.delivered.v1",)
