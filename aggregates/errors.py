"""Rejections are a rule's no to the caller; nobody else has to know. The docstring is the message.

Rejection
├── OrderUnknown · OrderExists · OrderSettled · OrderAlreadyShipped · OrderNotReady · OrderNotShipped
├── OrderAlreadySecured · TooManyLines · PriceStands
├── LineUnknown · LineTooSmall · ShipmentUnknown · ReturnUnknown · ReturnTooLarge
├── ProductUnknown · ProductExists · ProductAlreadyWithdrawn
├── StockHeld · StockElsewhere · StockThere · WaitingListFull
├── PaymentUnknown · NothingToRefund · RefundTooLarge · AttemptNotAwaited
├── UserUnknown · EmailTaken · CredentialsStale · SessionOver · TokenJustUsed · ProofSpent
├── AddressUnknown · AddressExists · TooManyAddresses · SecurityMailStays · PersonErased
├── KeyReused · PreconditionFailed
├── DeviceUnknown · TooManyDevices
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


class OrderAlreadySecured(Rejection):
    """All of the order's stock is held, and its money asked for: order anew what it lacks, or cancel a line."""


class TooManyLines(Rejection):
    """An order has 500 lines at most: order anew what is too many."""


class PriceStands(Rejection):
    """What is ordered already keeps its price."""


class OrderNotReady(Rejection):
    """The order is not ready to ship: it is not confirmed, or its stock is not committed yet."""


class OrderNotShipped(Rejection):
    """The order has not been shipped."""


class LineUnknown(Rejection):
    """The order has no line of this SKU."""


class LineTooSmall(Rejection):
    """The order has not so many of this SKU left."""


class ShipmentUnknown(Rejection):
    """The order has no such shipment."""


class ReturnUnknown(Rejection):
    """The order has no such return."""


class ReturnTooLarge(Rejection):
    """That is more than was delivered, or announced, and is not back already."""


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


class AttemptNotAwaited(Rejection):
    """The payment does not wait for another card."""


class EmailTaken(Rejection):
    """There is an account with this e-mail address."""


class UserUnknown(Rejection):
    """There is no such account."""


class CredentialsStale(Rejection):
    """The password has been changed in the meantime, or the account closed: log in anew."""


class SessionOver(Rejection):
    """The session has ended, or the token is none of it: log in anew."""


class TokenJustUsed(Rejection):
    """The token was exchanged a moment ago: go on with what was given for it; the session is as it was."""


class ProofSpent(Rejection):
    """The token is none of ours, was used, has expired, or a later mail replaces it: ask for another mail."""


class AddressUnknown(Rejection):
    """There is no such address in this account."""


class AddressExists(Rejection):
    """The account has an address with this id already, with other contents."""


class TooManyAddresses(Rejection):
    """An account keeps 20 addresses: remove one first."""


class SecurityMailStays(Rejection):
    """Mail about the account's security cannot be turned off."""


class KeyReused(Rejection):
    """The Idempotency-Key has been used for another request."""


class PreconditionFailed(Rejection):
    """The resource has changed since the version that If-Match names."""


class DeviceUnknown(Rejection):
    """The customer has no such device."""


class TooManyDevices(Rejection):
    """A customer can have 20 devices; drop one first."""


class PersonErased(Rejection):
    """This person has been erased: nothing more is recorded of them."""


class LetterUnknown(Rejection):
    """There is no such dead letter, or it is not open any more."""


class LetterWaits(Rejection):
    """The dead letter waits behind another, which must go first."""


class LetterUnfit(Rejection):
    """The new body does not fit the dead letter's type, or is about another aggregate."""


class Unreadable(Exception):
    """An aggregate whose state is asked for has a record that cannot be read: no no, but nobody knows."""
