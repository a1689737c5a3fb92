"""Values are the small frozen shapes that commands and events are made of, and the base of every command."""

import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WrapValidator
from pydantic.functional_validators import ModelWrapValidatorHandler

from schemas.mark import person_of


def _as_given(said: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
    """A sealed text was looked at before it was sealed; all else has to fit."""
    return said if isinstance(said, str) and person_of(said) is not None else handler(said)


PERSONAL = WrapValidator(_as_given)
"""Marks a text that tells who somebody is, or what they say: it is sealed before it is put on a topic."""


@dataclass(frozen=True)
class NotPersonal:
    """Marks a text that stays readable for ever, and says why it may: every text of a command has one of the marks."""

    why: str


AN_ID = NotPersonal("an id: what stays is that somebody of it was there")
A_FORM = NotPersonal("one of a few forms, in which nobody can say who they are")
OF_GOODS = NotPersonal("tells of goods, not of people")
OUR_WORDS = NotPersonal(
    "said by our rules or by a provider, and not typed by people; what a mail server says of its recipient is taken out"
)
SEALED_BEFORE = NotPersonal("a copy: what was personal in it was sealed where it was said first")
OF_STAFF = NotPersonal("said by those who work here, about their work, and kept to show what they did")

Uuid = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
    Field(json_schema_extra={"format": "uuid"}),
    AN_ID,
]
OrderId = Uuid
PaymentId = Uuid
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$"),
    AN_ID,
]
"""A name that a path can hold: not of dots alone, as clients take `..` out of it."""
CustomerId = Name
Sku = Name
Location = Name
MAIN = "main"
"""The location of stock for which none is named."""
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), A_FORM]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), A_FORM]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
PersonalText = Annotated[Text, PERSONAL]
PersonalEmail = Annotated[Email, PERSONAL]
Id = Annotated[str, AN_ID]
"""An id as it was recorded, or as a provider gives it."""
Ours = Annotated[str, OUR_WORDS]
CardToken = Annotated[
    Text, NotPersonal("the provider's name for a card: it says nothing to others, and is never shown")
]
Quantity = Annotated[int, Field(ge=1, le=100_000)]
Amount = Annotated[int, Field(ge=0, le=10**18)]
"""What many lines may come to, in minor units of a currency."""
Cents = Annotated[int, Field(ge=0, le=1_000_000_000)]
"""An amount in minor units of its currency."""


Attempts = Annotated[int, Field(ge=1, le=5)]
"""How often an order's money may be asked for, each time of another card."""


SECRET = frozenset(
    {
        "password_hash", "payment_token", "token_hash", "nonce", "next_hash", "keep_hash", "rehashed", "proof",
        "push_address", "push_addresses",
    }
)  # fmt: skip
"""Fields that nobody is shown."""


class Value(BaseModel):
    """A shape at the door: frozen, no unknown fields, no guessing of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Command(Value):
    """A request to one aggregate; the tag is its name on the wire."""

    tag: ClassVar[str] = ""

    def __init_subclass__(cls, *, tag: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.tag = tag

    @property
    def stream(self) -> str:
        """The aggregate asked, such as `order-<uuid>`; also the key of its records."""
        raise NotImplementedError

    @property
    def shelf(self) -> int | None:
        """The partition asked, where the stream's name does not decide it."""
        return None

    @property
    def person(self) -> str:
        """Whose the personal texts are; empty where the command does not say so."""
        return ""


class Line(BaseModel):
    """One line of an order as recorded: so many of one SKU at a unit price, and the tax on all of them, in minor units.

    A line without tax is recorded as lines were before there was any.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    sku: Id
    quantity: int
    unit_price: int
    tax_cents: int = Field(0, exclude_if=operator.not_)


class Item(BaseModel):
    """So many of one SKU, where the price does not matter."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sku: Id
    quantity: int


Audience = Literal["everyone", "staff"]
"""Who may read a note."""
Verdict = Literal["restock", "damaged", "refuse"]
"""What is to become of an item that came back."""


def together(items: Iterable[Item]) -> dict[str, int]:
    """How many of each SKU, in the order in which the SKUs come first."""
    sums: dict[str, int] = {}
    for item in items:
        sums[item.sku] = sums.get(item.sku, 0) + item.quantity
    return sums


class Forgone(BaseModel):
    """So much less of a refund is given, in minor units."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    refund_id: str
    amount: int


class Inspected(Item):
    """So many of one SKU that came back, and what is to become of them."""

    verdict: Verdict

    @property
    def accepted(self) -> bool:
        """Whether they stay with us, and their money goes back."""
        return self.verdict != "refuse"


class Returned(Inspected):
    """The same, with how much less is owed for them, in minor units, and how much of that is tax."""

    amount: int
    tax_cents: int


class Address(BaseModel):
    """Where an order goes, as recorded."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    street: str
    city: str
    postal_code: str
    country: str


Capture = Literal["at_confirmation", "per_shipment"]
"""When an order's money is taken: all of it once the order is confirmed, or for each shipment what is in it."""


def is_one(value: int) -> bool:
    """Whether a count is the usual one, which is left unsaid."""
    return value == 1


def is_at_confirmation(value: str) -> bool:
    """Whether money is taken as it usually is, which is left unsaid."""
    return value == "at_confirmation"


def is_none(value: object) -> bool:
    """Whether there is nothing to say."""
    return value is None


def total_of(lines: tuple[Line, ...]) -> int:
    """What the lines cost together with their tax, in minor units."""
    return sum(line.quantity * line.unit_price + line.tax_cents for line in lines)
