"""Examples of what is asked and answered, one for each shape of the OpenAPI document; one order tells most of them."""

from typing import Any

ORDER = "9c22106e-35b2-578c-81b9-80464a145cdf"
USER = "1f0c9c1e-8a54-5f6b-9a1e-2d1a8f2f4c11"
COMMAND = "5feceb66-3a4f-8c21-9d07-6b1e4f2a90c3"
SHIPMENT = "7d1b1f5e-0c0a-5a7e-8a53-3f9d6e2b7c40"
RETURN = "c2a4b0de-71f3-5d0b-9f1c-6f2d1f0a9b77"
AT, LATER = "2026-11-28T10:00:00Z", "2026-11-28T10:00:01.250Z"
PLACE = {"name": "Ada", "street": "1 Main Street", "city": "Springfield", "postal_code": "12345", "country": "US"}
EMAIL = "ada@example.com"
TOKEN = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxZjBjIn0.c2lnbmF0dXJl"  # noqa: S105  nobody's
MAILED = "the-long-code-of-the-mail"

BODIES: dict[str, Any] = {
    "PlaceOrder": {
        "customer_id": USER,
        "email": EMAIL,
        "shipping_address": PLACE,
        "lines": [{"sku": "tea", "quantity": 2, "unit_price": 450}],
    },
    "CancelOrder": {"reason": "changed my mind"},
    "CancelLine": {"quantity": 1, "reason": "one is enough"},
    "ShipOrder": {"tracking": "1Z999AA10123456784", "lines": [{"sku": "tea", "quantity": 1}]},
    "DeliverOrder": {"shipment_id": SHIPMENT},
    "RequestReturn": {"items": [{"sku": "tea", "quantity": 1}], "reason": "too bitter"},
    "ReceiveReturn": {"items": [{"sku": "tea", "quantity": 1, "verdict": "restock"}], "note": "unopened"},
    "ChangeAddress": {"shipping_address": {**PLACE, "street": "2 Main Street"}},
    "AmendOrder": {"lines": [{"sku": "mate", "quantity": 3, "unit_price": 390, "tax_cents": 0}]},
    "AddNote": {"text": "Leave it with the neighbors.", "audience": "everyone"},
    "AttemptPayment": {"payment_token": "tok_mastercard"},
    "RefundPayment": {"amount": 450, "reason": "goodwill"},
    "ListProduct": {"sku": "tea", "name": "Green tea", "department": "Tea", "price": 450, "stock": 10},
    "DescribeProduct": {"name": "Green tea", "description": "From Uji.", "department": "Tea", "brand": "Ours"},
    "PriceProduct": {"price": 390, "reason": "a new harvest"},
    "WithdrawProduct": {"reason": "out of season"},
    "ReceiveStock": {"quantity": 20, "location": "main"},
    "AdjustStock": {"delta": -2, "reason": "broken", "location": "main"},
    "CountStock": {"quantity": 18, "location": "main"},
    "TransferStock": {"quantity": 5, "source": "main", "target": "shop"},
    "SetLowStock": {"threshold": 3},
    "AwaitStock": {"customer_id": USER, "email": EMAIL},
    "StopAwaitingStock": {"customer_id": USER},
    "Registration": {"email": EMAIL, "name": "Ada", "password": "correct horse"},
    "AccountAddress": {"email": EMAIL},
    "MailedToken": {"token": MAILED},
    "Credentials": {"email": EMAIL, "password": "correct horse"},
    "RefreshToken": {"refresh_token": "what-the-last-login-gave"},
    "PasswordChange": {"old_password": "correct horse", "new_password": "battery staple"},
    "PasswordReset": {"token": MAILED, "password": "battery staple"},
    "Confirmation": {"password": "correct horse"},
    "Erasure": {"password": "correct horse"},
    "ChangeProfile": {"name": "Ada", "phone": "+15550100", "locale": "en-US"},
    "AddAddress": {"label": "home", "address": PLACE},
    "CorrectAddress": {"label": "home", "address": {**PLACE, "street": "2 Main Street"}},
    "RemoveAddress": {},
    "ChooseDefaultAddress": {},
    "ChangePreferences": {"preferences": {"marketing": {"email": False}}},
    "DescribeContact": {
        "phone": "+15550100",
        "locale": "en",
        "time_zone": "Europe/Berlin",
        "quiet": {"begins": "22:00", "ends": "07:00"},
    },
    "ChooseChannel": {"kind": "order", "channel": "sms", "wanted": True},
    "AddDevice": {"device_id": "phone", "platform": "fcm", "push_address": "cXyz:APA91bFq"},
    "DropDevice": {},
    "TrustAddresses": {},
    "RetryLetter": {},
    "EditedLetter": {"body": {"order_id": ORDER, "reason": "changed my mind"}, "why": "the reason was missing"},
    "DiscardLetter": {"why": "a test that went astray"},
}

_FOUND = {
    "sku": "tea", "name": "Green tea", "department": "Tea", "brand": "Ours", "price": 450, "currency": "EUR",
    "available": 8, "listed_at": AT, "exact": True, "rank": 1.06,
}  # fmt: skip
_LETTER = {
    "context": "order", "id": "2b1d9a53-6c1f-5b8e-8c51-0d4c8a3f6e12", "status": "open", "stream": f"order-{ORDER}",
    "consumer": "order.writer", "type": "order.cancel", "message": COMMAND, "command_id": COMMAND,
    "topic": "order.commands", "partition": 1, "position": 4711, "reason": "ValidationError: reason: Field required",
    "attempts": 1, "blocks": True, "why": None, "at": AT, "changed": AT, "home": 1, "behind": "", "waiting": 0,
}  # fmt: skip
VIEWS: dict[str, Any] = {
    "OrderView": {
        "order_id": ORDER, "customer_id": USER, "email": EMAIL, "status": "confirmed", "reason": "",
        "currency": "EUR", "total": 900, "line_count": 1, "lines": [{"sku": "tea", "quantity": 2, "unit_price": 450}],
        "shipping_address": PLACE, "uncommitted": [], "ready_to_ship": True, "tracking": "", "placed_at": AT,
        "updated_at": LATER, "confirmed_at": LATER, "shipping_cents": 0, "cancelled": {}, "shipments": [],
        "returns": [], "notes": [], "staff_notes": [], "version": 5,
    },
    "ProductView": {
        "sku": "tea", "name": "Green tea", "description": "From Uji.", "department": "Tea", "brand": "Ours",
        "price": 450, "currency": "EUR", "withdrawn": False, "on_hand": 10, "held": 2, "available": 8, "shipped": 0,
        "locations": {"main": 10}, "threshold": 3, "low": False, "listed_at": AT, "updated_at": LATER, "version": 2,
    },
    "PaymentView": {
        "order_id": ORDER, "status": "captured", "reason": "", "currency": "EUR", "amount": 900, "captured": 900,
        "refunded": 0, "refunds": {}, "reference": "pi_3Q", "requested_at": AT, "updated_at": LATER, "reduced": 0,
        "version": 4,
    },
    "UserView": {
        "user_id": USER, "email": EMAIL, "name": "Ada", "registered_at": AT, "status": "active", "verified": True,
        "password_changes": 0, "phone": "+15550100", "locale": "en-US", "addresses": [{"address_id": RETURN,
        "label": "home", "address": PLACE}], "default_address": RETURN,
        "preferences": {"marketing": {"email": False}}, "version": 3,
    },
    "NotificationView": {
        "notification_id": "6a0e1c9b-54f2-5a1d-8f0e-9c3b7d2a1e44", "about": f"order-{ORDER}", "channel": "email",
        "recipient": EMAIL, "template": "order_confirmed", "params": {"order_id": ORDER, "total": 900,
        "currency": "EUR"}, "status": "delivered", "reason": "", "requested_at": AT, "updated_at": LATER,
        "customer_id": USER, "kind": "order", "locale": "en", "ways": {}, "skipped": {}, "version": 2,
    },
    "ContactView": {
        "customer_id": USER, "phone": "+15550100", "locale": "en", "time_zone": "Europe/Berlin",
        "quiet": {"begins": "22:00", "ends": "07:00"}, "chosen": {"order/sms": True}, "devices": {"phone": "fcm"},
        "updated_at": AT, "bounced": [{"email": EMAIL, "reason": "550 5.1.1 no such mailbox"}], "version": 1,
    },
    "Preview": {
        "locale": "en", "subject": "Your order is confirmed", "text": "Thank you.", "html": "<p>Thank you.</p>",
    },
    "Template": {
        "name": "order_confirmed", "channels": ["email", "sms", "push"], "locales": ["en", "de"],
        "params": {"order_id": ORDER, "total": 900, "currency": "EUR"},
    },
    "Stock": {
        "sku": "tea", "on_hand": 10, "held": 2, "available": 8, "locations": {"main": 10}, "holding": 1,
        "reservations": [{"order_id": ORDER, "quantity": 2, "status": "held", "expires_at": "2026-11-28T10:15:00Z"}],
    },
    "Price": {
        "price": 450, "currency": "EUR", "since": AT, "until": None, "reason": "listed",
        "request": "8d2f4b1c-7a30-4c52-9b7e-1f0a6d3c5e22", "version": 1,
    },
    "FoundPage": {
        "items": [_FOUND], "next": None, "total": 1, "facets": {"departments": [{"value": "Tea", "count": 1}],
        "brands": [{"value": "Ours", "count": 1}], "prices": [{"currency": "EUR", "min_price": 0, "max_price": 499,
        "count": 1}]},
    },
    "Spent": {"customer_id": USER, "currency": "EUR", "orders": 1, "spent": 900},
    "Revenue": {"currency": "EUR", "quantity": 2, "revenue": 900, "day": "2026-11-28", "department": "Tea"},
    "Standing": {
        "context": "order", "name": "orders", "version": 1, "code": 1, "wanted": 1, "live": True,
        "state": "up to date", "behind": 0, "rate": None, "seconds_left": None, "parked": 0, "said": "",
        "positions": {"0": 118, "1": 4712},
    },
}  # fmt: skip
SHAPES: dict[str, Any] = {
    "Accepted": {
        "command_id": COMMAND, "status": "pending", "command": f"/commands/order/{COMMAND}",
        "resource": f"/orders/{ORDER}",
    },
    "Outcome": {
        "command_id": COMMAND, "status": "accepted", "code": "", "detail": "", "at": AT, "context": "order",
        "resource": f"/orders/{ORDER}",
    },
    "Happened": {
        "partition": 1, "position": 4711, "stream": f"order-{ORDER}", "version": 5, "id": SHIPMENT,
        "type": "order.confirmed.v1", "at": LATER, "correlation": COMMAND, "causation": COMMAND,
        "data": {"order_id": ORDER},
    },
    "Tokens": {
        "access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600,
        "refresh_token": "what-is-exchanged-for-the-next", "refresh_expires_in": 2592000,
    },
    "Done": {"status": "changed"},
    "Erased": {"user_id": USER, "status": "erased"},
    "Noted": {"status": "accepted", "detail": "If there is an account with this address, a code is on its way."},
    "Letter": _LETTER,
    "WholeLetter": {**_LETTER, "readable": False, "waiting_behind": [], "body": {"order_id": ORDER}},
    "Summary": {
        "orders": [{"status": "confirmed", "orders": 1, "lines": 1, "total": 900, "confirmed_once": 1}],
        "reasons": [{"reason": "out of stock", "orders": 13}],
    },
    "Statistics": {
        "since": "2026-11-28T09:00:00Z", "items": [{"context": "order", "minute": AT, "name": "placed",
        "currency": "", "value": 7}],
    },
    "Health": {"status": "ok", "version": "1.0.0", "contexts": ["order"], "uptime_seconds": 12.5},
    "Ready": {"status": "ready", "checks": {"log": {"ok": True}, "order": {"ok": True, "lag": {"0": 0}}}},
    "Jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "2026-11", "x": "11qYAY"}]},
    "Problem": {
        "type": "/problems#Invalid", "title": "The request does not fit its schema.", "status": 422,
        "code": "Invalid", "detail": "lines[0].quantity: Input should be greater than or equal to 1",
        "instance": "/orders", "request_id": "8d2f4b1c-7a30-4c52-9b7e-1f0a6d3c5e22",
        "errors": [{"field": "lines[0].quantity", "pointer": "#/lines/0/quantity",
        "detail": "Input should be greater than or equal to 1", "code": "greater_than_equal"}],
    },
}  # fmt: skip
EXAMPLES: dict[str, Any] = {**BODIES, **VIEWS, **SHAPES}
