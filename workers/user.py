"""User effects: the key of who is erased is destroyed, once the log says that they are."""

from collections.abc import Awaitable, Callable

from aggregates.account import User
from aggregates.decider import Todo
from schemas.user import RecordErasure

Effect = Callable[[str, User, Todo], Awaitable[RecordErasure]]
Destroy = Callable[[str], Awaitable[None]]
"""Destroys a person's key, however often it is asked to."""


def effects(destroy: Destroy) -> dict[str, Effect]:
    """How a person is forgotten."""

    async def destroy_key(stream: str, _: User, __: Todo) -> RecordErasure:
        user_id = stream.removeprefix("user-")
        await destroy(user_id)
        return RecordErasure(user_id=user_id)

    return {"destroy_key": destroy_key}
