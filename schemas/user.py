"""User commands are what may be asked of one registered user."""

from typing import TypeAlias

from schemas.values import Command, Email, Text, Uuid


class RegisterUser(Command, tag="user.register"):
    """Open an account; the user id follows from the e-mail address, so that an address is taken once."""

    user_id: Uuid
    email: Email
    name: Text
    password_hash: str

    @property
    def stream(self) -> str:
        return f"user-{self.user_id}"


UserCommand: TypeAlias = RegisterUser
