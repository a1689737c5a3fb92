"""User events are what has happened to one registered user."""

from typing import TypeAlias

from events.event import Event


class UserRegistered(Event, tag="user.registered.v1"):
    user_id: str
    email: str
    name: str
    password_hash: str

    @property
    def stream(self) -> str:
        return f"user-{self.user_id}"


UserEvent: TypeAlias = UserRegistered
