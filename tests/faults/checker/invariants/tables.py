"""Tables are what the read models keep, and which of their columns are compared."""

TABLE = {
    "order": ("orders", "order_id"),
    "product": ("products", "sku"),
    "payment": ("payments", "order_id"),
    "user": ("users", "user_id"),
    "notification": ("notifications", "notification_id"),
}
"""The read model of each context, and its key."""

COMPARED = {
    "orders": "customer_id email status reason currency total line_count lines shipping_address uncommitted "
    "ready_to_ship tracking shipping_cents cancelled shipments returns notes staff_notes "
    "placed_at updated_at confirmed_at version partition position",
    "products": "name description department price currency withdrawn on_hand held available shipped updated_at "
    "version partition position",
    "payments": "status reason currency amount captured refunded refunds reduced reference due_at expires_at "
    "attempts_left attempts capture captures closed requested_at updated_at version partition position",
    "users": "email name password_hash registered_at status verified password_changes phone locale default_address "
    "version partition position",
    "notifications": "about channel recipient template params status reason requested_at updated_at customer_id kind "
    "locale ways skipped version partition position",
    "history": "partition position stream version id type at correlation causation data",
    "outcomes": "command_id status code stream partition position at",
    "dead_letters": "topic partition position stream reason",
    "checkpoints": "next epoch writer ignored",
    "resume_points": "next epoch writer, where as many snapshots lie beside it as it counts",
    "snapshots": "version of every aggregate",
    "statistics": "value at its upto, and that none is missing",
}
"""The columns of each table that are compared."""

MOMENTS = (
    "due_at", "expires_at", "listed_at", "placed_at", "updated_at", "confirmed_at", "requested_at", "registered_at",
    "at",
)  # fmt: skip
