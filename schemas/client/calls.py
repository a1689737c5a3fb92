"""What may be asked of the API, and what it answers; printed by `make docs`, not for editing."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from schemas.client.connection import Connection, part


class Accepted(TypedDict):
    command_id: str
    status: str
    command: str
    resource: str


class AdjustStock(TypedDict):
    delta: int
    reason: str


class CancelOrder(TypedDict):
    reason: NotRequired[str]


class CountStock(TypedDict):
    quantity: int


class Credentials(TypedDict):
    email: str
    password: str


DeliverOrder = dict[str, Any]


class DescribeProduct(TypedDict):
    name: str
    description: NotRequired[str]
    department: NotRequired[str]


class DiscardLetter(TypedDict):
    why: str


class EditedLetter(TypedDict):
    body: dict[str, Any]
    why: str


class Found(TypedDict):
    sku: str
    name: str
    department: str
    exact: bool
    rank: float


class Holding(TypedDict):
    order_id: str
    quantity: int
    status: str
    expires_at: str | None


class ListProduct(TypedDict):
    sku: str
    name: str
    description: NotRequired[str]
    department: NotRequired[str]
    price: int
    currency: NotRequired[str]
    stock: NotRequired[int]


class NotificationView(TypedDict):
    notification_id: str
    about: str
    channel: str
    recipient: str
    template: str
    params: dict[str, Any]
    status: str
    reason: str
    requested_at: str
    updated_at: str


class OrderLine(TypedDict):
    sku: str
    quantity: int
    unit_price: int


class OrderView(TypedDict):
    order_id: str
    customer_id: str
    email: str
    status: str
    reason: str
    currency: str
    total: int
    line_count: int
    lines: list[dict[str, Any]]
    shipping_address: dict[str, Any]
    uncommitted: list[str]
    ready_to_ship: bool
    tracking: str
    placed_at: str
    updated_at: str
    confirmed_at: NotRequired[str | None]


class PaymentView(TypedDict):
    order_id: str
    status: str
    reason: str
    currency: str
    amount: int
    captured: int
    refunded: int
    refunds: dict[str, int]
    reference: str
    requested_at: str
    updated_at: str


class PlaceOrder(TypedDict):
    order_id: NotRequired[str | None]
    customer_id: str
    email: str
    currency: NotRequired[str]
    shipping_address: ShippingAddress
    payment_token: NotRequired[str]
    lines: list[OrderLine]


class PriceProduct(TypedDict):
    price: int
    currency: NotRequired[str]


class Problem(TypedDict):
    type: str
    title: str
    code: str
    detail: str
    instance: NotRequired[str]
    request_id: NotRequired[str]
    trace_id: NotRequired[str]
    status: int
    errors: NotRequired[list[dict[str, str]]]


class ProductView(TypedDict):
    sku: str
    name: str
    description: str
    department: str
    price: int
    currency: str
    withdrawn: bool
    on_hand: int
    held: int
    available: int
    shipped: int
    updated_at: str


class ReceiveStock(TypedDict):
    quantity: int


class RefundPayment(TypedDict):
    amount: NotRequired[int | None]
    reason: NotRequired[str]


class Registration(TypedDict):
    email: str
    name: str
    password: str


RetryLetter = dict[str, Any]


class Revenue(TypedDict):
    currency: str
    quantity: int
    revenue: int
    day: NotRequired[str | None]
    department: NotRequired[str | None]


class ShipOrder(TypedDict):
    tracking: NotRequired[str]


class ShippingAddress(TypedDict):
    name: str
    street: str
    city: str
    postal_code: str
    country: str


class Spent(TypedDict):
    customer_id: str
    currency: str
    orders: int
    spent: int


Status = Literal["unknown", "placed", "secured", "confirmed", "shipped", "delivered", "rejected", "cancelled"]


class Stock(TypedDict):
    sku: str
    on_hand: int
    held: int
    available: int
    holding: int
    reservations: list[Holding]


class WithdrawProduct(TypedDict):
    reason: NotRequired[str]


class Client(Connection):
    """The API's operations. `key` is an Idempotency-Key, made if there is none; `wait` are seconds."""

    async def place_order(
        self,
        body: PlaceOrder,
        *,
        log_position: str | None = None,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | OrderView:
        """Order these lines; every SKU must be on sale."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            "/orders",
            headers={
                "log-position": log_position,
                "Idempotency-Key": key,
                "Prefer": f"wait={wait}" if wait else None,
                "If-Match": if_match,
            },
            body=body,
            keyed=True,
        )
        return answer

    async def list_orders(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        customer_id: str | None = None,
        status: Status | None = None,
        log_position: str | None = None,
    ) -> Any:
        """Orders, the latest first."""
        return await self.ask(
            "GET",
            "/orders",
            query={"after": after, "limit": limit, "cursor": cursor, "customer_id": customer_id, "status": status},
            headers={"log-position": log_position},
        )

    async def cancel_order(
        self,
        order_id: str,
        body: CancelOrder | None = None,
        *,
        log_position: str | None = None,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | OrderView:
        """Call the order off; possible until it is shipped."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            f"/orders/{part(order_id)}/cancel",
            headers={
                "log-position": log_position,
                "Idempotency-Key": key,
                "Prefer": f"wait={wait}" if wait else None,
                "If-Match": if_match,
            },
            body=body or {},
            keyed=True,
        )
        return answer

    async def ship_order(
        self,
        order_id: str,
        body: ShipOrder | None = None,
        *,
        log_position: str | None = None,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | OrderView:
        """Hand the goods to the carrier."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            f"/orders/{part(order_id)}/ship",
            headers={
                "log-position": log_position,
                "Idempotency-Key": key,
                "Prefer": f"wait={wait}" if wait else None,
                "If-Match": if_match,
            },
            body=body or {},
            keyed=True,
        )
        return answer

    async def deliver_order(
        self,
        order_id: str,
        body: DeliverOrder | None = None,
        *,
        log_position: str | None = None,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | OrderView:
        """Record that the goods have arrived."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            f"/orders/{part(order_id)}/deliver",
            headers={
                "log-position": log_position,
                "Idempotency-Key": key,
                "Prefer": f"wait={wait}" if wait else None,
                "If-Match": if_match,
            },
            body=body or {},
            keyed=True,
        )
        return answer

    async def get_order(
        self,
        order_id: str,
        *,
        after: str | None = None,
        as_of: str | None = None,
        wait_for: Literal["settled"] | None = None,
        timeout: float | None = None,
        log_position: str | None = None,
        if_none_match: str | None = None,
    ) -> OrderView:
        """One order."""
        answer: OrderView = await self.ask(
            "GET",
            f"/orders/{part(order_id)}",
            query={"after": after, "as_of": as_of, "wait_for": wait_for, "timeout": timeout},
            headers={"log-position": log_position, "If-None-Match": if_none_match},
        )
        return answer

    async def get_history(self, order_id: str, *, log_position: str | None = None) -> Any:
        """What happened to the order: its recorded events."""
        return await self.ask("GET", f"/orders/{part(order_id)}/history", headers={"log-position": log_position})

    async def get_spending(self, customer_id: str, *, log_position: str | None = None) -> dict[str, Any]:
        """What a customer's confirmed orders come to, by currency, without those cancelled since; nothing for strangers."""
        answer: dict[str, Any] = await self.ask(
            "GET", f"/customers/{part(customer_id)}/spending", headers={"log-position": log_position}
        )
        return answer

    async def list_spending(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        currency: str | None = None,
        log_position: str | None = None,
    ) -> dict[str, Any]:
        """The customers who have spent most in each currency, the first `limit` of them."""
        answer: dict[str, Any] = await self.ask(
            "GET",
            "/spending",
            query={"after": after, "limit": limit, "currency": currency},
            headers={"log-position": log_position},
        )
        return answer

    async def get_revenue(
        self,
        *,
        after: str | None = None,
        from_: str | None = None,
        to: str | None = None,
        by: str | None = None,
        log_position: str | None = None,
    ) -> dict[str, Any]:
        """What the orders confirmed on these days come to, without those cancelled since, in minor units."""
        answer: dict[str, Any] = await self.ask(
            "GET",
            "/revenue",
            query={"after": after, "from": from_, "to": to, "by": by},
            headers={"log-position": log_position},
        )
        return answer

    async def list_product(
        self,
        body: ListProduct,
        *,
        log_position: str | None = None,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Offer a product, with the stock there is at the start."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            "/products",
            headers={
                "log-position": log_position,
                "Idempotency-Key": key,
                "Prefer": f"wait={wait}" if wait else None,
                "If-Match": if_match,
            },
            body=body,
            keyed=True,
        )
        return answer

    async def list_products(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        q: str | None = None,
        log_position: str | None = None,
    ) -> Any:
        """Products by SKU, or those that fit the words."""
        return await self.ask(
            "GET",
            "/products",
            query={"after": after, "limit": limit, "cursor": cursor, "q": q},
            headers={"log-position": log_position},
        )

    async def describe_product(
        self,
        sku: str,
        body: DescribeProduct,
        *,
        log_position: str | None = None,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Change what the catalogue says of a product."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/products/{part(sku)}/describe",
            headers={
                "log-position": log_position,
                "Idempotency-Key": key,
                "Prefer": f"wait={wait}" if wait else None,
                "If-Match": if_match,
            },
            body=body,
            keyed=True,
        )
        return answer

    async def price_product(
        self,
        sku: str,
        body: PriceProduct,
        *,
        log_position: str | None = None,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Change a product's price; orders already placed keep theirs."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/products/{part(sku)}/price",
            headers={
                "log-position": log_position,
                "Idempotency-Key": key,
                "Prefer": f"wait={wait}" if wait else None,
                "If-Match": if_match,
            },
            body=body,
            keyed=True,
        )
        return answer

    async def withdraw_product(
        self,
        sku: str,
        body: WithdrawProduct | None = None,
        *,
        log_position: str | None = None,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Stop selling a product; stock already held stays held."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/products/{part(sku)}/withdraw",
            headers={
                "log-position": log_position,
                "Idempotency-Key": key,
                "Prefer": f"wait={wait}" if wait else None,
                "If-Match": if_match,
            },
            body=body or {},
            keyed=True,
        )
        return answer

    async def receive_stock(
        self,
        sku: str,
        body: ReceiveStock,
        *,
        log_position: str | None = None,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Put goods on the shelf."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/products/{part(sku)}/stock/receive",
            headers={
                "log-position": log_position,
                "Idempotency-Key": key,
                "Prefer": f"wait={wait}" if wait else None,
                "If-Match": if_match,
            },
            body=body,
            keyed=True,
        )
        return answer

    async def adjust_stock(
        self,
        sku: str,
        body: AdjustStock,
        *,
        log_position: str | None = None,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Correct the stock by a difference, such as -2 for breakage."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/products/{part(sku)}/stock/adjust",
            headers={
                "log-position": log_position,
                "Idempotency-Key": key,
                "Prefer": f"wait={wait}" if wait else None,
                "If-Match": if_match,
            },
            body=body,
            keyed=True,
        )
        return answer

    async def count_stock(
        self,
        sku: str,
        body: CountStock,
        *,
        log_position: str | None = None,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Set the stock to what was counted."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/products/{part(sku)}/stock/count",
            headers={
                "log-position": log_position,
                "Idempotency-Key": key,
                "Prefer": f"wait={wait}" if wait else None,
                "If-Match": if_match,
            },
            body=body,
            keyed=True,
        )
        return answer

    async def search_products(
        self, *, q: str, after: str | None = None, limit: int | None = None, log_position: str | None = None
    ) -> dict[str, Any]:
        """Products on sale that fit the words, those that have them first, then those with a name much like them."""
        answer: dict[str, Any] = await self.ask(
            "GET",
            "/products/search",
            query={"after": after, "limit": limit, "q": q},
            headers={"log-position": log_position},
        )
        return answer

    async def get_stock(
        self, sku: str, *, after: str | None = None, limit: int | None = None, log_position: str | None = None
    ) -> Stock:
        """A product's stock, and the reservations that hold some of it: those that lapse soonest, `limit` at most."""
        answer: Stock = await self.ask(
            "GET",
            f"/products/{part(sku)}/stock",
            query={"after": after, "limit": limit},
            headers={"log-position": log_position},
        )
        return answer

    async def get_product(
        self,
        sku: str,
        *,
        after: str | None = None,
        as_of: str | None = None,
        log_position: str | None = None,
        if_none_match: str | None = None,
    ) -> ProductView:
        """One product with its stock."""
        answer: ProductView = await self.ask(
            "GET",
            f"/products/{part(sku)}",
            query={"after": after, "as_of": as_of},
            headers={"log-position": log_position, "If-None-Match": if_none_match},
        )
        return answer

    async def refund_payment(
        self,
        order_id: str,
        body: RefundPayment | None = None,
        *,
        log_position: str | None = None,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | PaymentView:
        """Give back an amount, or all that is left."""
        answer: Accepted | PaymentView = await self.ask(
            "POST",
            f"/orders/{part(order_id)}/refund",
            headers={
                "log-position": log_position,
                "Idempotency-Key": key,
                "Prefer": f"wait={wait}" if wait else None,
                "If-Match": if_match,
            },
            body=body or {},
            keyed=True,
        )
        return answer

    async def list_payments(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        log_position: str | None = None,
    ) -> Any:
        """Payments, the latest first."""
        return await self.ask(
            "GET",
            "/payments",
            query={"after": after, "limit": limit, "cursor": cursor},
            headers={"log-position": log_position},
        )

    async def get_payment(
        self,
        order_id: str,
        *,
        after: str | None = None,
        as_of: str | None = None,
        log_position: str | None = None,
        if_none_match: str | None = None,
    ) -> PaymentView:
        """The payment of one order."""
        answer: PaymentView = await self.ask(
            "GET",
            f"/payments/{part(order_id)}",
            query={"after": after, "as_of": as_of},
            headers={"log-position": log_position, "If-None-Match": if_none_match},
        )
        return answer

    async def hear_provider(self, sender: str, *, log_position: str | None = None) -> Any:
        """What the payment provider has to say, signed with the secret that we share."""
        return await self.ask("POST", f"/payments/webhooks/{part(sender)}", headers={"log-position": log_position})

    async def register(
        self, body: Registration, *, log_position: str | None = None, key: str | None = None, wait: int | None = None
    ) -> Any:
        """Open an account."""
        return await self.ask(
            "POST",
            "/users",
            headers={"log-position": log_position, "Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None},
            body=body,
            keyed=True,
        )

    async def login(self, body: Credentials, *, log_position: str | None = None) -> Any:
        """A token, for an e-mail address and its password."""
        return await self.ask("POST", "/login", headers={"log-position": log_position}, body=body)

    async def me(self, *, log_position: str | None = None) -> Any:
        """The account that the token names."""
        return await self.ask("GET", "/me", headers={"log-position": log_position})

    async def list_notifications(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        log_position: str | None = None,
    ) -> Any:
        """Messages, the latest first."""
        return await self.ask(
            "GET",
            "/notifications",
            query={"after": after, "limit": limit, "cursor": cursor},
            headers={"log-position": log_position},
        )

    async def list_about_order(self, order_id: str, *, log_position: str | None = None) -> Any:
        """Messages about one order, the earliest first."""
        return await self.ask("GET", f"/orders/{part(order_id)}/notifications", headers={"log-position": log_position})

    async def list_dead_letters(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        status: Literal["open", "aside", "retried", "discarded"] | None = None,
    ) -> Any:
        """What was set aside, with the reason, where it lies, what it waits behind and how many wait behind it."""
        return await self.ask("GET", "/dead-letters", query={"after": after, "limit": limit, "status": status})

    async def list_dead_letters_of(
        self,
        context: str,
        *,
        after: str | None = None,
        limit: int | None = None,
        status: Literal["open", "aside", "retried", "discarded"] | None = None,
    ) -> Any:
        """What one context has set aside."""
        return await self.ask(
            "GET", f"/dead-letters/{part(context)}", query={"after": after, "limit": limit, "status": status}
        )

    async def get_dead_letter(self, context: str, letter: str) -> Any:
        """One letter, decoded as far as possible, and who waits behind it."""
        return await self.ask("GET", f"/dead-letters/{part(context)}/{part(letter)}")

    async def retry_dead_letter(
        self,
        context: str,
        letter: str,
        body: RetryLetter | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
    ) -> Any:
        """Handle it as if it came now; if that goes well, those that wait behind it too."""
        return await self.ask(
            "POST",
            f"/dead-letters/{part(context)}/{part(letter)}/retry",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None},
            body=body or {},
            keyed=True,
        )

    async def edit_dead_letter(
        self, context: str, letter: str, body: EditedLetter, *, key: str | None = None, wait: int | None = None
    ) -> Any:
        """Give it another body, which must fit its type, and retry it."""
        return await self.ask(
            "POST",
            f"/dead-letters/{part(context)}/{part(letter)}/edit",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None},
            body=body,
            keyed=True,
        )

    async def discard_dead_letter(
        self, context: str, letter: str, body: DiscardLetter, *, key: str | None = None, wait: int | None = None
    ) -> Any:
        """Set it aside for good; those that wait behind it are handled."""
        return await self.ask(
            "POST",
            f"/dead-letters/{part(context)}/{part(letter)}/discard",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None},
            body=body,
            keyed=True,
        )

    async def find_command(self, command_id: str) -> Any:
        """What became of a command, whichever context it went to; pending if nobody knows (yet)."""
        return await self.ask("GET", f"/commands/{part(command_id)}")

    async def get_command(self, context: str, command_id: str) -> Any:
        """What became of a command; with `Prefer: wait=N`, as soon as it is known."""
        return await self.ask("GET", f"/commands/{part(context)}/{part(command_id)}")

    async def get_summary(self) -> Any:
        """How many orders, how much money, stock and post there is."""
        return await self.ask("GET", "/summary")

    async def get_statistics(self) -> Any:
        """What happened per minute, over the last hour."""
        return await self.ask("GET", "/statistics")

    async def list_projections(self) -> Any:
        """Every version of every read model: which is live, how far it is, what it waits for."""
        return await self.ask("GET", "/projections")

    async def get_projection(self, context: str, name: str) -> Any:
        """The versions of one read model."""
        return await self.ask("GET", f"/projections/{part(context)}/{part(name)}")

    async def follow_projection(self, context: str, name: str) -> Any:
        """How far its versions are, as server-sent events, until none is being built any more."""
        return await self.ask("GET", f"/projections/{part(context)}/{part(name)}/progress")

    async def health(self) -> Any:
        """The process is there; it asks nobody else."""
        return await self.ask("GET", "/health")

    async def ready(self) -> Any:
        """The log and the databases answer, and the read models are not far behind; else 503 with the reasons."""
        return await self.ask("GET", "/ready")
