"""What may be asked of the API, and what it answers; printed by `make docs`, not for editing."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from schemas.client.connection import Connection, part


class Accepted(TypedDict):
    command_id: str
    status: Literal["pending"]
    command: str
    resource: str


class AccountAddress(TypedDict):
    email: str


class AddAddress(TypedDict):
    label: NotRequired[str]
    address: Place
    default: NotRequired[bool]


class AddDevice(TypedDict):
    device_id: str
    platform: Literal["fcm", "web"]
    push_address: str


class AddNote(TypedDict):
    text: str
    audience: NotRequired[Literal["everyone", "staff"]]


class AdjustStock(TypedDict):
    delta: int
    reason: str
    location: NotRequired[str]


class AmendOrder(TypedDict):
    lines: list[OrderLine]
    shipping_cents: NotRequired[int | None]


class AttemptPayment(TypedDict):
    payment_token: str


class AwaitStock(TypedDict):
    customer_id: str
    email: str


class CancelLine(TypedDict):
    quantity: NotRequired[int | None]
    reason: NotRequired[str]


class CancelOrder(TypedDict):
    reason: NotRequired[str]


class ChangeAddress(TypedDict):
    shipping_address: ShippingAddress


class ChangePreferences(TypedDict):
    preferences: dict[str, dict[str, bool]]


class ChangeProfile(TypedDict):
    name: str
    phone: NotRequired[str]
    locale: NotRequired[str]


class ChooseChannel(TypedDict):
    kind: Literal["order", "account", "security", "marketing"]
    channel: Literal["email", "sms", "push"]
    wanted: bool


ChooseDefaultAddress = dict[str, Any]


class Confirmation(TypedDict):
    password: str


class ContactView(TypedDict):
    customer_id: str
    phone: str | None
    locale: str
    time_zone: str
    quiet: dict[str, str] | None
    chosen: dict[str, bool]
    devices: dict[str, str]
    updated_at: str
    bounced: NotRequired[list[dict[str, str]]]
    version: NotRequired[int]


class CorrectAddress(TypedDict):
    label: NotRequired[str]
    address: Place


class CountStock(TypedDict):
    quantity: int
    location: NotRequired[str]


class Counted(TypedDict):
    value: str
    count: int


class Credentials(TypedDict):
    email: str
    password: str


class DeliverOrder(TypedDict):
    shipment_id: NotRequired[str | None]


class DescribeContact(TypedDict):
    phone: NotRequired[str | None]
    locale: NotRequired[str]
    time_zone: NotRequired[str]
    quiet: NotRequired[Quiet | None]


class DescribeProduct(TypedDict):
    name: str
    description: NotRequired[str]
    department: NotRequired[str]
    brand: NotRequired[str]


class DiscardLetter(TypedDict):
    why: str


class Done(TypedDict):
    status: str


DropDevice = dict[str, Any]


class EditedLetter(TypedDict):
    body: dict[str, Any]
    why: str


class Erased(TypedDict):
    user_id: str
    status: str


class Erasure(TypedDict):
    password: NotRequired[str | None]


class Facets(TypedDict):
    departments: list[Counted]
    brands: list[Counted]
    prices: list[PriceBand]


class FieldError(TypedDict):
    field: str
    pointer: str
    detail: str
    code: str


class Figure(TypedDict):
    context: str
    minute: str
    name: str
    currency: str
    value: int


class Found(TypedDict):
    sku: str
    name: str
    department: str
    brand: str
    price: int
    currency: str
    available: int
    listed_at: str
    exact: bool
    rank: float


class FoundPage(TypedDict):
    items: list[Found]
    next: str | None
    total: int | None
    facets: Facets | None


class Happened(TypedDict):
    partition: int
    position: int
    stream: str
    version: int
    id: str
    type: str
    at: str
    correlation: str
    causation: str
    data: dict[str, Any]


class HappenedList(TypedDict):
    items: list[Happened]


class Health(TypedDict):
    status: Literal["ok"]
    version: str
    contexts: list[str]
    uptime_seconds: float


class Holding(TypedDict):
    order_id: str
    quantity: int
    status: str
    expires_at: str | None


class InspectedItem(TypedDict):
    sku: str
    quantity: int
    verdict: Literal["restock", "damaged", "refuse"]


class Jwks(TypedDict):
    keys: list[dict[str, str]]


class Letter(TypedDict):
    context: str
    id: str
    status: Literal["aside", "discarded", "open", "retried"]
    stream: str
    consumer: str | None
    type: str | None
    message: str | None
    command_id: str | None
    topic: str | None
    partition: int | None
    position: int | None
    reason: str | None
    attempts: int | None
    blocks: bool | None
    why: str | None
    at: str
    changed: str
    home: int
    behind: str
    waiting: int


class LetterList(TypedDict):
    items: list[Letter]


class ListProduct(TypedDict):
    sku: str
    name: str
    description: NotRequired[str]
    department: NotRequired[str]
    brand: NotRequired[str]
    price: int
    currency: NotRequired[str]
    stock: NotRequired[int]


class MailedToken(TypedDict):
    token: str


class Noted(TypedDict):
    status: Literal["accepted"]
    detail: str


class NotificationList(TypedDict):
    items: list[NotificationView]


class NotificationPage(TypedDict):
    items: list[NotificationView]
    next: str | None


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
    customer_id: NotRequired[str]
    kind: NotRequired[str]
    locale: NotRequired[str]
    ways: NotRequired[dict[str, WayView]]
    skipped: NotRequired[dict[str, str]]
    version: NotRequired[int]


class OrderItem(TypedDict):
    sku: str
    quantity: int


class OrderLine(TypedDict):
    sku: str
    quantity: int
    unit_price: int
    tax_cents: NotRequired[int]


class OrderPage(TypedDict):
    items: list[OrderView]
    next: str | None


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
    shipping_cents: NotRequired[int]
    cancelled: NotRequired[dict[str, int]]
    shipments: NotRequired[list[dict[str, Any]]]
    returns: NotRequired[list[dict[str, Any]]]
    notes: NotRequired[list[dict[str, Any]]]
    staff_notes: NotRequired[list[dict[str, Any]]]
    version: NotRequired[int]


class Outcome(TypedDict):
    command_id: str
    status: Literal["accepted", "parked", "pending", "rejected", "unchanged"]
    code: NotRequired[str]
    detail: NotRequired[str]
    at: NotRequired[str | None]
    context: NotRequired[str]
    resource: NotRequired[str]


class PasswordChange(TypedDict):
    old_password: str
    new_password: str
    refresh_token: NotRequired[str | None]


class PasswordReset(TypedDict):
    token: str
    password: str


class PaymentPage(TypedDict):
    items: list[PaymentView]
    next: str | None


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
    reduced: NotRequired[int]
    due_at: NotRequired[str | None]
    expires_at: NotRequired[str | None]
    attempts_left: NotRequired[int]
    attempts: NotRequired[list[dict[str, Any]]]
    capture: NotRequired[str]
    captures: NotRequired[list[dict[str, Any]]]
    closed: NotRequired[bool]
    version: NotRequired[int]


class Place(TypedDict):
    name: str
    street: str
    city: str
    postal_code: str
    country: str


class PlaceOrder(TypedDict):
    order_id: NotRequired[str | None]
    customer_id: str
    email: str
    currency: NotRequired[str]
    shipping_address: ShippingAddress
    payment_token: NotRequired[str]
    lines: list[OrderLine]
    shipping_cents: NotRequired[int]
    payment_attempts: NotRequired[int]
    capture: NotRequired[Literal["at_confirmation", "per_shipment"]]


class Preview(TypedDict):
    locale: str
    subject: str
    text: str
    html: str


class Price(TypedDict):
    price: int
    currency: str
    since: str
    until: str | None
    reason: str
    request: str
    version: int


class PriceBand(TypedDict):
    currency: str
    min_price: int
    max_price: int | None
    count: int


class PricePage(TypedDict):
    items: list[Price]
    next: str | None


class PriceProduct(TypedDict):
    price: int
    currency: NotRequired[str]
    reason: NotRequired[str]


class Problem(TypedDict):
    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: NotRequired[str]
    request_id: NotRequired[str]
    trace_id: NotRequired[str]
    errors: NotRequired[list[FieldError]]


class ProductPage(TypedDict):
    items: list[ProductView]
    next: str | None


class ProductView(TypedDict):
    sku: str
    name: str
    description: str
    department: str
    brand: str
    price: int
    currency: str
    withdrawn: bool
    on_hand: int
    held: int
    available: int
    shipped: int
    locations: dict[str, int]
    threshold: int | None
    low: bool
    listed_at: str
    updated_at: str
    version: NotRequired[int]


class Quiet(TypedDict):
    begins: str
    ends: str


class Ready(TypedDict):
    status: Literal["ready"]
    checks: dict[str, dict[str, Any]]


class ReceiveReturn(TypedDict):
    items: list[InspectedItem]
    note: NotRequired[str]


class ReceiveStock(TypedDict):
    quantity: int
    location: NotRequired[str]


class RefreshToken(TypedDict):
    refresh_token: str


class RefundPayment(TypedDict):
    amount: NotRequired[int | None]
    reason: NotRequired[str]


class Registration(TypedDict):
    email: str
    name: str
    password: str


RemoveAddress = dict[str, Any]


class RequestReturn(TypedDict):
    items: list[OrderItem]
    reason: str


RetryLetter = dict[str, Any]


class Revenue(TypedDict):
    currency: str
    quantity: int
    revenue: int
    day: NotRequired[str | None]
    department: NotRequired[str | None]


class RevenueList(TypedDict):
    items: list[Revenue]


class SetLowStock(TypedDict):
    threshold: int | None
    tell: NotRequired[str | None]


class ShipOrder(TypedDict):
    tracking: NotRequired[str]
    lines: NotRequired[list[OrderItem]]


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


class SpentList(TypedDict):
    items: list[Spent]


class Standing(TypedDict):
    context: str
    name: str
    version: int
    code: int
    wanted: int
    live: bool
    state: str
    behind: int
    rate: float | None
    seconds_left: float | None
    parked: int
    said: str
    positions: dict[str, int]


class StandingList(TypedDict):
    items: list[Standing]


class Statistics(TypedDict):
    since: str
    items: list[Figure]


Status = Literal[
    "unknown", "placed", "secured", "confirmed", "partially_shipped", "shipped", "delivered", "rejected", "cancelled"
]


class Stock(TypedDict):
    sku: str
    on_hand: int
    held: int
    available: int
    locations: dict[str, int]
    holding: int
    reservations: list[Holding]


class StopAwaitingStock(TypedDict):
    customer_id: str


class Summary(TypedDict):
    orders: NotRequired[list[dict[str, Any]]]
    reasons: NotRequired[list[dict[str, Any]]]
    money: NotRequired[list[dict[str, Any]]]
    stock: NotRequired[list[dict[str, Any]]]
    messages: NotRequired[list[dict[str, Any]]]


class Template(TypedDict):
    name: str
    channels: list[str]
    locales: list[str]
    params: dict[str, Any]


class TemplateList(TypedDict):
    items: list[Template]


class Tokens(TypedDict):
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    refresh_token: str
    refresh_expires_in: int


class TransferStock(TypedDict):
    quantity: int
    source: str
    target: str


TrustAddresses = dict[str, Any]


class UserView(TypedDict):
    user_id: str
    email: str
    name: str
    registered_at: str
    status: NotRequired[str]
    verified: NotRequired[bool]
    password_changes: NotRequired[int]
    phone: NotRequired[str]
    locale: NotRequired[str]
    addresses: NotRequired[list[dict[str, Any]]]
    default_address: NotRequired[str]
    preferences: NotRequired[dict[str, dict[str, bool]]]
    version: NotRequired[int]


class WayView(TypedDict):
    recipient: str
    status: NotRequired[str]
    reason: NotRequired[str]
    attempts: NotRequired[int]
    reference: NotRequired[str]
    due_at: NotRequired[str | None]


class WholeLetter(TypedDict):
    context: str
    id: str
    status: Literal["aside", "discarded", "open", "retried"]
    stream: str
    consumer: str | None
    type: str | None
    message: str | None
    command_id: str | None
    topic: str | None
    partition: int | None
    position: int | None
    reason: str | None
    attempts: int | None
    blocks: bool | None
    why: str | None
    at: str
    changed: str
    home: int
    behind: str
    waiting: int
    readable: bool
    waiting_behind: list[dict[str, Any]]
    body: NotRequired[Any]
    text: NotRequired[str]


class WithdrawProduct(TypedDict):
    reason: NotRequired[str]


class Client(Connection):
    """The API's operations. `key` is an Idempotency-Key, made if there is none; `wait` are seconds."""

    async def place_order(
        self, body: PlaceOrder, *, key: str | None = None, wait: int | None = None, if_match: str | None = None
    ) -> Accepted | OrderView:
        """Order these lines; every SKU must be on sale."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            "/api/orders",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
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
        wait: int | None = None,
    ) -> OrderPage:
        """Orders, the latest first."""
        answer: OrderPage = await self.ask(
            "GET",
            "/api/orders",
            query={"after": after, "limit": limit, "cursor": cursor, "customer_id": customer_id, "status": status},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def cancel_order(
        self,
        order_id: str,
        body: CancelOrder | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | OrderView:
        """Call the order off; possible until it is shipped."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            f"/api/orders/{part(order_id)}/cancel",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body or {},
            keyed=True,
        )
        return answer

    async def cancel_line(
        self,
        order_id: str,
        sku: str,
        body: CancelLine | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | OrderView:
        """Call off so many of one SKU, or all that have not left the house; what is paid for them already is given back."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            f"/api/orders/{part(order_id)}/lines/{part(sku)}/cancel",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body or {},
            keyed=True,
        )
        return answer

    async def ship_order(
        self,
        order_id: str,
        body: ShipOrder | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | OrderView:
        """Hand these items to the carrier, or all that are left."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            f"/api/orders/{part(order_id)}/ship",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body or {},
            keyed=True,
        )
        return answer

    async def deliver_order(
        self,
        order_id: str,
        body: DeliverOrder | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | OrderView:
        """Record that a shipment has arrived, or all that are under way."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            f"/api/orders/{part(order_id)}/deliver",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body or {},
            keyed=True,
        )
        return answer

    async def request_return(
        self,
        order_id: str,
        body: RequestReturn,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | OrderView:
        """Announce that items come back; the order's `returns` tell the return's id."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            f"/api/orders/{part(order_id)}/returns",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def receive_return(
        self,
        order_id: str,
        return_id: str,
        body: ReceiveReturn,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | OrderView:
        """Say what came back and what is to become of it; what is accepted is given back."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            f"/api/orders/{part(order_id)}/returns/{part(return_id)}/receive",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def change_address(
        self,
        order_id: str,
        body: ChangeAddress,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | OrderView:
        """Send the order elsewhere; possible until something has been shipped."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            f"/api/orders/{part(order_id)}/address",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def amend_order(
        self,
        order_id: str,
        body: AmendOrder,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | OrderView:
        """Add lines, or change how many of one; possible until the stock of all lines is held, so mostly for a moment."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            f"/api/orders/{part(order_id)}/amend",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def add_note(
        self,
        order_id: str,
        body: AddNote,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | OrderView:
        """Write something down about the order."""
        answer: Accepted | OrderView = await self.ask(
            "POST",
            f"/api/orders/{part(order_id)}/notes",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
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
        if_none_match: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> OrderView:
        """One order."""
        answer: OrderView = await self.ask(
            "GET",
            f"/api/orders/{part(order_id)}",
            query={"after": after, "as_of": as_of, "wait_for": wait_for, "timeout": timeout},
            headers={
                "If-None-Match": if_none_match,
                "Log-Position": log_position,
                "Prefer": f"wait={wait}" if wait else None,
            },
        )
        return answer

    async def get_history(
        self, order_id: str, *, after: str | None = None, log_position: str | None = None, wait: int | None = None
    ) -> HappenedList:
        """What happened to the order: its recorded events."""
        answer: HappenedList = await self.ask(
            "GET",
            f"/api/orders/{part(order_id)}/history",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def get_spending(
        self, customer_id: str, *, after: str | None = None, log_position: str | None = None, wait: int | None = None
    ) -> SpentList:
        """What a customer's confirmed orders come to, by currency, without those cancelled since; nothing for strangers."""
        answer: SpentList = await self.ask(
            "GET",
            f"/api/customers/{part(customer_id)}/spending",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def list_spending(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        currency: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> SpentList:
        """The customers who have spent most in each currency, the first `limit` of them."""
        answer: SpentList = await self.ask(
            "GET",
            "/api/spending",
            query={"after": after, "limit": limit, "currency": currency},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
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
        wait: int | None = None,
    ) -> RevenueList:
        """What the orders confirmed on these days come to, without those cancelled since, in minor units."""
        answer: RevenueList = await self.ask(
            "GET",
            "/api/revenue",
            query={"after": after, "from": from_, "to": to, "by": by},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def list_product(
        self, body: ListProduct, *, key: str | None = None, wait: int | None = None, if_match: str | None = None
    ) -> Accepted | ProductView:
        """Offer a product, with the stock there is at the start."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            "/api/products",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
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
        low: bool | None = None,
        q: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> ProductPage:
        """Products by SKU, those that fit the words, those of which no more are left than their threshold says."""
        answer: ProductPage = await self.ask(
            "GET",
            "/api/products",
            query={"after": after, "limit": limit, "cursor": cursor, "low": low, "q": q},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def describe_product(
        self,
        sku: str,
        body: DescribeProduct,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Change what the catalogue says of a product."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/api/products/{part(sku)}/describe",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def price_product(
        self,
        sku: str,
        body: PriceProduct,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Change a product's price, and say why; orders already placed keep theirs."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/api/products/{part(sku)}/price",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def withdraw_product(
        self,
        sku: str,
        body: WithdrawProduct | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Stop selling a product; stock already held stays held."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/api/products/{part(sku)}/withdraw",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body or {},
            keyed=True,
        )
        return answer

    async def receive_stock(
        self,
        sku: str,
        body: ReceiveStock,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Put goods on the shelf, at one of the places where it stands."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/api/products/{part(sku)}/stock/receive",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def adjust_stock(
        self,
        sku: str,
        body: AdjustStock,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Correct the stock of a location by a difference, such as -2 for breakage."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/api/products/{part(sku)}/stock/adjust",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def count_stock(
        self,
        sku: str,
        body: CountStock,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Set the stock of a location to what was counted there."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/api/products/{part(sku)}/stock/count",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def transfer_stock(
        self,
        sku: str,
        body: TransferStock,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Take goods from one location to another; what orders hold goes along."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/api/products/{part(sku)}/stock/transfer",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def set_low_stock(
        self,
        sku: str,
        body: SetLowStock,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Say at how many available the stock is low, and who is told by mail; null says that it never is."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/api/products/{part(sku)}/stock/low",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def await_stock(
        self,
        sku: str,
        body: AwaitStock,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """Have a customer told by mail, once, when there is something to buy again."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/api/products/{part(sku)}/stock/await",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def stop_awaiting_stock(
        self,
        sku: str,
        body: StopAwaitingStock,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ProductView:
        """The customer wants to hear of it no more."""
        answer: Accepted | ProductView = await self.ask(
            "POST",
            f"/api/products/{part(sku)}/stock/stop-awaiting",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def search_products(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        q: str | None = None,
        department: list[str] | None = None,
        brand: list[str] | None = None,
        min_price: int | None = None,
        max_price: int | None = None,
        currency: str | None = None,
        in_stock: bool | None = None,
        sort: Literal["relevance", "price", "-price", "newest", "name"] | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> FoundPage:
        """Products on sale that fit, page by page; the first page counts them by department, brand and price."""
        answer: FoundPage = await self.ask(
            "GET",
            "/api/products/search",
            query={
                "after": after,
                "limit": limit,
                "cursor": cursor,
                "q": q,
                "department": department,
                "brand": brand,
                "min_price": min_price,
                "max_price": max_price,
                "currency": currency,
                "in_stock": in_stock,
                "sort": sort,
            },
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def get_stock(
        self,
        sku: str,
        *,
        after: str | None = None,
        limit: int | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> Stock:
        """A product's stock, and the reservations that hold some of it: those that lapse soonest, `limit` at most."""
        answer: Stock = await self.ask(
            "GET",
            f"/api/products/{part(sku)}/stock",
            query={"after": after, "limit": limit},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def list_prices(
        self,
        sku: str,
        *,
        after: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> PricePage:
        """Every price that the product has had, the latest first: since when, until when, why, by which request."""
        answer: PricePage = await self.ask(
            "GET",
            f"/api/products/{part(sku)}/prices",
            query={"after": after, "limit": limit, "cursor": cursor},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def get_product(
        self,
        sku: str,
        *,
        after: str | None = None,
        as_of: str | None = None,
        if_none_match: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> ProductView:
        """One product with its stock."""
        answer: ProductView = await self.ask(
            "GET",
            f"/api/products/{part(sku)}",
            query={"after": after, "as_of": as_of},
            headers={
                "If-None-Match": if_none_match,
                "Log-Position": log_position,
                "Prefer": f"wait={wait}" if wait else None,
            },
        )
        return answer

    async def refund_payment(
        self,
        order_id: str,
        body: RefundPayment | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | PaymentView:
        """Give back an amount, or all that is left."""
        answer: Accepted | PaymentView = await self.ask(
            "POST",
            f"/api/orders/{part(order_id)}/refund",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body or {},
            keyed=True,
        )
        return answer

    async def attempt_payment(
        self,
        order_id: str,
        body: AttemptPayment,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | PaymentView:
        """Name another card while a declined payment awaits one, until its `due_at`."""
        answer: Accepted | PaymentView = await self.ask(
            "POST",
            f"/api/payments/{part(order_id)}/attempts",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
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
        wait: int | None = None,
    ) -> PaymentPage:
        """Payments, the latest first."""
        answer: PaymentPage = await self.ask(
            "GET",
            "/api/payments",
            query={"after": after, "limit": limit, "cursor": cursor},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def get_payment(
        self,
        order_id: str,
        *,
        after: str | None = None,
        as_of: str | None = None,
        if_none_match: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> PaymentView:
        """The payment of one order."""
        answer: PaymentView = await self.ask(
            "GET",
            f"/api/payments/{part(order_id)}",
            query={"after": after, "as_of": as_of},
            headers={
                "If-None-Match": if_none_match,
                "Log-Position": log_position,
                "Prefer": f"wait={wait}" if wait else None,
            },
        )
        return answer

    async def hear_provider(self, sender: str, body: dict[str, Any]) -> Any:
        """What the payment provider has to say, signed with the secret that we share."""
        return await self.ask("POST", f"/api/payments/webhooks/{part(sender)}", body=body)

    async def register(self, body: Registration, *, wait: int | None = None) -> Noted:
        """Open an account. Whether the address had one, only its owner is told: by mail."""
        answer: Noted = await self.ask(
            "POST", "/api/auth/register", headers={"Prefer": f"wait={wait}" if wait else None}, body=body
        )
        return answer

    async def send_verification(self, body: AccountAddress, *, wait: int | None = None) -> Noted:
        """Send the code again; once a minute at most."""
        answer: Noted = await self.ask(
            "POST", "/api/users/verification", headers={"Prefer": f"wait={wait}" if wait else None}, body=body
        )
        return answer

    async def verify_email(self, body: MailedToken) -> Done:
        """Verify the address, by the code of the mail."""
        answer: Done = await self.ask("POST", "/api/users/verify", body=body)
        return answer

    async def me(
        self,
        *,
        after: str | None = None,
        if_none_match: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> UserView:
        """The account that the token names."""
        answer: UserView = await self.ask(
            "GET",
            "/api/users/me",
            query={"after": after},
            headers={
                "If-None-Match": if_none_match,
                "Log-Position": log_position,
                "Prefer": f"wait={wait}" if wait else None,
            },
        )
        return answer

    async def close_account(
        self, body: Confirmation, *, key: str | None = None, wait: int | None = None, if_match: str | None = None
    ) -> Accepted | UserView:
        """Close the account: nobody can log in any more, and what its owner has told us is gone from it. Orders stay."""
        answer: Accepted | UserView = await self.ask(
            "POST",
            "/api/users/me/delete",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def login(self, body: Credentials) -> Tokens:
        """Tokens, for an e-mail address and its password. Unknown, wrong and not verified are one answer."""
        answer: Tokens = await self.ask("POST", "/api/auth/login", body=body)
        return answer

    async def refresh(self, body: RefreshToken) -> Tokens:
        """The next tokens, for the last refresh token. One that comes again ends the session."""
        answer: Tokens = await self.ask("POST", "/api/auth/refresh", body=body)
        return answer

    async def logout(self, body: RefreshToken) -> Any:
        """End the session of a refresh token, however often it was exchanged; a token of no session has none to end."""
        return await self.ask("POST", "/api/auth/logout", body=body)

    async def log_out_everywhere(self) -> Any:
        """End all sessions of the account that the access token names."""
        return await self.ask("POST", "/api/auth/logout/all")

    async def change_password(self, body: PasswordChange) -> Done:
        """Change one's own password."""
        answer: Done = await self.ask("POST", "/api/users/me/password", body=body)
        return answer

    async def request_reset(self, body: AccountAddress, *, wait: int | None = None) -> Noted:
        """Send a mail with a code that sets a new password, good for 30 minutes; once a minute at most."""
        answer: Noted = await self.ask(
            "POST", "/api/auth/password-reset", headers={"Prefer": f"wait={wait}" if wait else None}, body=body
        )
        return answer

    async def reset_password(self, body: PasswordReset) -> Done:
        """Set a new password by the code of the mail; every session ends, and the address counts as verified."""
        answer: Done = await self.ask("POST", "/api/auth/password-reset/confirm", body=body)
        return answer

    async def change_profile(
        self, body: ChangeProfile, *, key: str | None = None, wait: int | None = None, if_match: str | None = None
    ) -> Accepted | UserView:
        """Say how one is called, can be called, and is written to."""
        answer: Accepted | UserView = await self.ask(
            "POST",
            "/api/users/me/profile",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def add_address(
        self, body: AddAddress, *, key: str | None = None, wait: int | None = None, if_match: str | None = None
    ) -> Accepted | UserView:
        """Keep an address; the first is the default by itself."""
        answer: Accepted | UserView = await self.ask(
            "POST",
            "/api/users/me/addresses",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def replace_address(
        self,
        address_id: str,
        body: CorrectAddress,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | UserView:
        """Correct an address."""
        answer: Accepted | UserView = await self.ask(
            "POST",
            f"/api/users/me/addresses/{part(address_id)}",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def remove_address(
        self,
        address_id: str,
        body: RemoveAddress | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | UserView:
        """Forget an address."""
        answer: Accepted | UserView = await self.ask(
            "POST",
            f"/api/users/me/addresses/{part(address_id)}/remove",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body or {},
            keyed=True,
        )
        return answer

    async def choose_default_address(
        self,
        address_id: str,
        body: ChooseDefaultAddress | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | UserView:
        """Make an address the one that is offered first."""
        answer: Accepted | UserView = await self.ask(
            "POST",
            f"/api/users/me/addresses/{part(address_id)}/default",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body or {},
            keyed=True,
        )
        return answer

    async def change_preferences(
        self, body: ChangePreferences, *, key: str | None = None, wait: int | None = None, if_match: str | None = None
    ) -> Accepted | UserView:
        """Say which messages are wanted over which channel; what is not named stays as it was."""
        answer: Accepted | UserView = await self.ask(
            "POST",
            "/api/users/me/preferences",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def erase(self, user_id: str, body: Erasure | None = None) -> Erased:
        """Forget a person, for good: their account is closed, and what was recorded of them cannot be read any more."""
        answer: Erased = await self.ask("POST", f"/api/users/{part(user_id)}/erase", body=body or {})
        return answer

    async def get_jwks(
        self, *, after: str | None = None, log_position: str | None = None, wait: int | None = None
    ) -> Jwks:
        """Every key that verifies a token now, the newest last (RFC 7517)."""
        answer: Jwks = await self.ask(
            "GET",
            "/api/auth/.well-known/jwks.json",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def get_contact(
        self,
        customer_id: str,
        *,
        after: str | None = None,
        as_of: str | None = None,
        if_none_match: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> ContactView:
        """How a customer is reached; 404 for one who has said nothing."""
        answer: ContactView = await self.ask(
            "GET",
            f"/api/notifications/contacts/{part(customer_id)}",
            query={"after": after, "as_of": as_of},
            headers={
                "If-None-Match": if_none_match,
                "Log-Position": log_position,
                "Prefer": f"wait={wait}" if wait else None,
            },
        )
        return answer

    async def describe_contact(
        self,
        customer_id: str,
        body: DescribeContact | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ContactView:
        """Say how a customer is reached, as a whole: what is left out is forgotten."""
        answer: Accepted | ContactView = await self.ask(
            "POST",
            f"/api/notifications/contacts/{part(customer_id)}/describe",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body or {},
            keyed=True,
        )
        return answer

    async def choose_channel(
        self,
        customer_id: str,
        body: ChooseChannel,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ContactView:
        """Whether messages of a kind may come over a channel."""
        answer: Accepted | ContactView = await self.ask(
            "POST",
            f"/api/notifications/contacts/{part(customer_id)}/channels",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def add_device(
        self,
        customer_id: str,
        body: AddDevice,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ContactView:
        """Let a device be pushed to; its address is shown to nobody."""
        answer: Accepted | ContactView = await self.ask(
            "POST",
            f"/api/notifications/contacts/{part(customer_id)}/devices",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body,
            keyed=True,
        )
        return answer

    async def drop_device(
        self,
        customer_id: str,
        device_id: str,
        body: DropDevice | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ContactView:
        """Push to a device no more."""
        answer: Accepted | ContactView = await self.ask(
            "POST",
            f"/api/notifications/contacts/{part(customer_id)}/devices/{part(device_id)}/drop",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body or {},
            keyed=True,
        )
        return answer

    async def trust_addresses(
        self,
        customer_id: str,
        body: TrustAddresses | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
        if_match: str | None = None,
    ) -> Accepted | ContactView:
        """Send mails again to addresses of theirs that had bounced; who verifies theirs anew needs nobody for that."""
        answer: Accepted | ContactView = await self.ask(
            "POST",
            f"/api/notifications/contacts/{part(customer_id)}/trust",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None, "If-Match": if_match},
            body=body or {},
            keyed=True,
        )
        return answer

    async def list_templates(
        self, *, after: str | None = None, log_position: str | None = None, wait: int | None = None
    ) -> TemplateList:
        """Every template, with the parameters that its preview has."""
        answer: TemplateList = await self.ask(
            "GET",
            "/api/notifications/templates",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def preview_template(
        self,
        name: str,
        *,
        after: str | None = None,
        channel: Literal["email", "sms", "push"] | None = None,
        locale: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> Preview:
        """What a message would say; nothing is sent."""
        answer: Preview = await self.ask(
            "GET",
            f"/api/notifications/templates/{part(name)}/preview",
            query={"after": after, "channel": channel, "locale": locale},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def show_unsubscribe(
        self, token: str, *, after: str | None = None, log_position: str | None = None, wait: int | None = None
    ) -> Any:
        """Ask whether there are to be no more mails of a kind."""
        return await self.ask(
            "GET",
            f"/api/notifications/unsubscribe/{part(token)}",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )

    async def list_notifications(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        customer_id: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> NotificationPage:
        """Messages, the latest first."""
        answer: NotificationPage = await self.ask(
            "GET",
            "/api/notifications",
            query={"after": after, "limit": limit, "cursor": cursor, "customer_id": customer_id},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def get_notification(
        self,
        notification_id: str,
        *,
        after: str | None = None,
        as_of: str | None = None,
        if_none_match: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> NotificationView:
        """One message: over which ways it goes, and whether it arrived."""
        answer: NotificationView = await self.ask(
            "GET",
            f"/api/notifications/{part(notification_id)}",
            query={"after": after, "as_of": as_of},
            headers={
                "If-None-Match": if_none_match,
                "Log-Position": log_position,
                "Prefer": f"wait={wait}" if wait else None,
            },
        )
        return answer

    async def list_about_order(
        self, order_id: str, *, after: str | None = None, log_position: str | None = None, wait: int | None = None
    ) -> NotificationList:
        """Messages about one order, the earliest first."""
        answer: NotificationList = await self.ask(
            "GET",
            f"/api/orders/{part(order_id)}/notifications",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def list_dead_letters(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        status: Literal["open", "aside", "retried", "discarded"] | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> LetterList:
        """What was set aside, with the reason, where it lies, what it waits behind and how many wait behind it."""
        answer: LetterList = await self.ask(
            "GET",
            "/api/dead-letters",
            query={"after": after, "limit": limit, "status": status},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def list_dead_letters_of(
        self,
        context: str,
        *,
        after: str | None = None,
        limit: int | None = None,
        status: Literal["open", "aside", "retried", "discarded"] | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> LetterList:
        """What one context has set aside."""
        answer: LetterList = await self.ask(
            "GET",
            f"/api/dead-letters/{part(context)}",
            query={"after": after, "limit": limit, "status": status},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def get_dead_letter(
        self,
        context: str,
        letter: str,
        *,
        after: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> WholeLetter:
        """One letter, decoded as far as possible, and who waits behind it."""
        answer: WholeLetter = await self.ask(
            "GET",
            f"/api/dead-letters/{part(context)}/{part(letter)}",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def retry_dead_letter(
        self,
        context: str,
        letter: str,
        body: RetryLetter | None = None,
        *,
        key: str | None = None,
        wait: int | None = None,
    ) -> Accepted | WholeLetter:
        """Handle it as if it came now; if that goes well, those that wait behind it too."""
        answer: Accepted | WholeLetter = await self.ask(
            "POST",
            f"/api/dead-letters/{part(context)}/{part(letter)}/retry",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None},
            body=body or {},
            keyed=True,
        )
        return answer

    async def edit_dead_letter(
        self, context: str, letter: str, body: EditedLetter, *, key: str | None = None, wait: int | None = None
    ) -> Accepted | WholeLetter:
        """Give it another body, which must fit its type, and retry it."""
        answer: Accepted | WholeLetter = await self.ask(
            "POST",
            f"/api/dead-letters/{part(context)}/{part(letter)}/edit",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None},
            body=body,
            keyed=True,
        )
        return answer

    async def discard_dead_letter(
        self, context: str, letter: str, body: DiscardLetter, *, key: str | None = None, wait: int | None = None
    ) -> Accepted | WholeLetter:
        """Set it aside for good; those that wait behind it are handled."""
        answer: Accepted | WholeLetter = await self.ask(
            "POST",
            f"/api/dead-letters/{part(context)}/{part(letter)}/discard",
            headers={"Idempotency-Key": key, "Prefer": f"wait={wait}" if wait else None},
            body=body,
            keyed=True,
        )
        return answer

    async def find_command(
        self, command_id: str, *, after: str | None = None, log_position: str | None = None, wait: int | None = None
    ) -> Outcome:
        """What became of a command, whichever context it went to; pending if nobody knows (yet)."""
        answer: Outcome = await self.ask(
            "GET",
            f"/api/commands/{part(command_id)}",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def get_command(
        self,
        context: str,
        command_id: str,
        *,
        after: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> Outcome:
        """What became of a command; with `Prefer: wait=N`, as soon as it is known."""
        answer: Outcome = await self.ask(
            "GET",
            f"/api/commands/{part(context)}/{part(command_id)}",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def get_summary(
        self, *, after: str | None = None, log_position: str | None = None, wait: int | None = None
    ) -> Summary:
        """How many orders, how much money, stock and post there is."""
        answer: Summary = await self.ask(
            "GET",
            "/api/summary",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def get_statistics(
        self, *, after: str | None = None, log_position: str | None = None, wait: int | None = None
    ) -> Statistics:
        """What happened per minute, over the last hour."""
        answer: Statistics = await self.ask(
            "GET",
            "/api/statistics",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def list_projections(
        self, *, after: str | None = None, log_position: str | None = None, wait: int | None = None
    ) -> StandingList:
        """Every version of every read model: which is live, how far it is, what it waits for."""
        answer: StandingList = await self.ask(
            "GET",
            "/api/projections",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def get_projection(
        self,
        context: str,
        name: str,
        *,
        after: str | None = None,
        log_position: str | None = None,
        wait: int | None = None,
    ) -> StandingList:
        """The versions of one read model."""
        answer: StandingList = await self.ask(
            "GET",
            f"/api/projections/{part(context)}/{part(name)}",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def health(
        self, *, after: str | None = None, log_position: str | None = None, wait: int | None = None
    ) -> Health:
        """The process is there; it asks nobody else."""
        answer: Health = await self.ask(
            "GET",
            "/health",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer

    async def ready(
        self, *, after: str | None = None, log_position: str | None = None, wait: int | None = None
    ) -> Ready:
        """The log and the databases answer, and the read models are not far behind; else 503 with the reasons."""
        answer: Ready = await self.ask(
            "GET",
            "/ready",
            query={"after": after},
            headers={"Log-Position": log_position, "Prefer": f"wait={wait}" if wait else None},
        )
        return answer
