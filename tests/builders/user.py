"""User builders: Ada, who has an account."""

from events.user import UserRegistered
from schemas.user import RegisterUser
from tests.builders.values import EMAIL

USER_ID = "ada00000-0000-4000-8000-000000000ada"


def register() -> RegisterUser:
    return RegisterUser(user_id=USER_ID, email=EMAIL, name="Ada", password_hash="$argon2id$v=19$example")


def registered() -> UserRegistered:
    return UserRegistered(**dict(register()))
