"""What if orders under 10.00 had been refused?"""

from schemas.order import PlaceOrder
from schemas.values import Command, total_of

CONTEXT = "order"
LEAST = 1000


def change(command: Command) -> Command | None:
    """The command as it was, or None if it had been refused."""
    if isinstance(command, PlaceOrder) and total_of(command.lines) < LEAST:
        return None
    return command
