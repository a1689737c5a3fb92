"""Rejections are a rule's no to the caller; nobody else has to know. The docstring is the message.

Rejection
├── OrderUnknown · OrderExists · OrderSettled · OrderAlreadyShipped · OrderNotReady · OrderNotShipped
├── ProductUnknown · ProductExists · ProductAlreadyWithdrawn
├── StockHeld · StockElsewhere · StockThere · WaitingListFull
├── PaymentUnknown · NothingToRefund · RefundTooLarge
├── EmailTaken
├── DeviceUnknown · TooManyDevices · SecurityByMail
└── LetterUnknown · LetterWaits · LetterUnfit
"""


class Rejection(Exception):
    """The base of all of these; `detail` is for people, the class's name for programs."""

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or (type(self).__doc__ or "")
        super().__init__(self.detail)


class OrderUnknown(Rejection):
    """There is no such order."""


class OrderExists(Rejection):
    """An order with this id has been placed already, with other contents."""


class OrderSettled(Rejection):
    """The order has been rejected or cancelled."""


class OrderAlreadyShipped(Rejection):
    """The order has been shipped; it cannot be cancelled any more."""


class OrderNotReady(Rejection):
    """The order is not ready to ship: it is not confirmed, or its stock is not committed yet."""


class OrderNotShipped(Rejection):
    """The order has not been shipped."""


class ProductUnknown(Rejection):
    """There is no such product."""


class ProductExists(Rejection):
    """A product with this SKU is listed already."""


class ProductAlreadyWithdrawn(Rejection):
    """The product has been withdrawn."""


class StockHeld(Rejection):
    """Orders hold more of the stock than would be left."""


class StockElsewhere(Rejection):
    """There is less than that at this location."""


class StockThere(Rejection):
    """The product is in stock: it can be ordered, and need not be waited for."""


class WaitingListFull(Rejection):
    """As many customers as can wait for this product already: try again when there was stock for them."""


class PaymentUnknown(Rejection):
    """There is no such payment."""


class NothingToRefund(Rejection):
    """No captured money is left to refund."""


class RefundTooLarge(Rejection):
    """The refund is larger than the captured money that is left."""


class EmailTaken(Rejection):
    """There is an account with this e-mail address."""


class DeviceUnknown(Rejection):
    """The customer has no such device."""


class TooManyDevices(Rejection):
    """A customer can have 20 devices; drop one first."""


class SecurityByMail(Rejection):
    """Mails about the security of an account cannot be turned off."""


class LetterUnknown(Rejection):
    """There is no such dead letter, or it is not open any more."""


class LetterWaits(Rejection):
    """The dead letter waits behind another, which must go first."""


class LetterUnfit(Rejection):
    """The new body does not fit the dead letter's type, or is about another aggregate."""


class Unreadable(Exception):
    """An aggregate whose state is asked for has a record that cannot be read: no no, but nobody knows."""
