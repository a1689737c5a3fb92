"""User commands are what may be asked of one registered user."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from schemas.values import A_FORM, PERSONAL, Command, Country, CustomerId, PersonalEmail, PersonalText, Uuid, Value

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$"), A_FORM]
"""SHA-256 of what only its holder knows."""
Hash = Annotated[str, PERSONAL]
"""Of a password, with its salt."""
Phone = Annotated[str, StringConstraints(pattern=r"^(\+[1-9][0-9]{6,14})?$"), PERSONAL]
"""E.164, or nothing."""
Locale = Annotated[str, StringConstraints(pattern=r"^([a-z]{2,3}(-[A-Z]{2})?)?$"), A_FORM]
"""Such as de or de-AT, or nothing."""
Line = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True), PERSONAL]
Kind = Literal["order", "marketing", "security"]
Channel = Literal["email", "sms", "push"]
Preferences: TypeAlias = dict[Kind, dict[Channel, bool]]
"""Whether messages of a kind are wanted over a channel; what is not named stays as it was."""


class Proof(Value):
    """What a mail is to prove: an id, the nonce that its token is derived from, and the token's digest."""

    proof_id: Uuid
    nonce: Digest
    token_hash: Digest


class Place(Value):
    """Where a person receives goods."""

    name: PersonalText
    street: PersonalText
    city: PersonalText
    postal_code: PersonalText
    country: Country


class _ToUser(Command):
    user_id: Uuid

    @property
    def stream(self) -> str:
        return f"user-{self.user_id}"

    @property
    def person(self) -> str:
        return self.user_id


class RegisterUser(_ToUser, tag="user.register"):
    """Open an account, for those who may know whether the address is taken, such as an import; clients may not."""

    email: PersonalEmail
    name: PersonalText
    password_hash: Hash


class OpenAccount(_ToUser, tag="user.open_account"):
    """Open an account; the user id follows from the e-mail address, so that an address is taken once."""

    email: PersonalEmail
    name: PersonalText
    password_hash: Hash
    proof: Proof


class RequestVerification(_ToUser, tag="user.request_verification"):
    """Send the mail that verifies the address once more."""

    proof: Proof


class VerifyEmail(_ToUser, tag="user.verify_email"):
    """Somebody holds the token of the mail that was sent to the address."""

    proof_id: Uuid
    token_hash: Digest


class StartSession(_ToUser, tag="user.start_session"):
    """Log in: the password was right, as of `password_changes`. `rehashed` is the same password's newer hash."""

    session_id: Uuid
    token_hash: Digest
    password_changes: int
    rehashed: Hash | None = None


class RefreshSession(_ToUser, tag="user.refresh_session"):
    """Exchange a session's token, the one of this turn, for the next."""

    session_id: Uuid
    turn: Annotated[int, Field(ge=0)]
    token_hash: Digest
    next_hash: Digest


class EndSessions(_ToUser, tag="user.end_sessions"):
    """Log out of one session, or of all."""

    session_id: Uuid | None = None


class ChangePassword(_ToUser, tag="user.change_password"):
    """Set another password; the old one was right, as of `password_changes`. The session of `keep_hash` stays."""

    password_hash: Hash
    password_changes: int
    keep_hash: Digest | None = None


class RequestReset(_ToUser, tag="user.request_reset"):
    """Send a mail whose token sets another password."""

    proof: Proof


class ResetPassword(_ToUser, tag="user.reset_password"):
    """Set another password; somebody holds the token of the mail that was sent for it."""

    proof_id: Uuid
    token_hash: Digest
    password_hash: Hash


class ChangeProfile(_ToUser, tag="user.change_profile"):
    """Say how somebody is called, can be called, and is written to."""

    name: PersonalText
    phone: Phone = ""
    locale: Locale = ""


class AddAddress(_ToUser, tag="user.add_address"):
    """Keep an address; the first is the default by itself."""

    address_id: Uuid
    label: Line = ""
    address: Place
    default: bool = False


class CorrectAddress(_ToUser, tag="user.change_address"):
    """Correct an address; orders keep the one that they were placed with."""

    address_id: Uuid
    label: Line = ""
    address: Place


class RemoveAddress(_ToUser, tag="user.remove_address"):
    """Forget an address; if it was the default, the oldest that is left becomes it."""

    address_id: Uuid


class ChooseDefaultAddress(_ToUser, tag="user.choose_default_address"):
    """Make an address the one that is offered first."""

    address_id: Uuid


class ChangePreferences(_ToUser, tag="user.change_preferences"):
    """Say which messages are wanted over which channel."""

    preferences: Preferences


class DeleteUser(_ToUser, tag="user.delete"):
    """Close the account; the password was right, as of `password_changes`."""

    password_changes: int


class _OfPerson(Command):
    """About somebody who may have no account, but has ordered under this id."""

    user_id: CustomerId

    @property
    def stream(self) -> str:
        return f"user-{self.user_id}"


class EraseUser(_OfPerson, tag="user.erase"):
    """Forget a person: close the account, and destroy the key that their personal texts are sealed with.

    `password_changes` says as of which password they have asked themselves; nobody's, where staff ask.
    """

    password_changes: int | None = None


class RecordErasure(_OfPerson, tag="user.record_erasure"):
    """The person's key is destroyed."""


UserCommand: TypeAlias = (
    RegisterUser
    | OpenAccount
    | RequestVerification
    | VerifyEmail
    | StartSession
    | RefreshSession
    | EndSessions
    | ChangePassword
    | RequestReset
    | ResetPassword
    | ChangeProfile
    | AddAddress
    | CorrectAddress
    | RemoveAddress
    | ChooseDefaultAddress
    | ChangePreferences
    | DeleteUser
    | EraseUser
    | RecordErasure
)
