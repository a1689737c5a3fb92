"""Hearing is what a context's table of reactions asks for when something has happened elsewhere."""

from collections.abc import Sequence

from events.event import Event
from events.registry import command_codec, event_codec
from schemas.values import Command
from workers.policy import Reaction


def asks(reactions: Sequence[Reaction], event: Event) -> list[Command]:
    """The commands, after the event has come over the wire and each command has gone over it."""
    heard = event_codec.decode(event.tag, event_codec.encode(event))
    [reaction] = [reaction for reaction in reactions if reaction.event is type(event)]
    return [command_codec.decode(command.tag, command_codec.encode(command)) for command in reaction.react(heard)]
