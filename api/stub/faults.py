"""Faults are the ways in which a provider goes wrong: switched on for all requests, or asked for by a magic amount.

| amount    | what happens                                                          |
|-----------|-----------------------------------------------------------------------|
| 4,000,002 | the authorization is declined                                         |
| 4,000,408 | the first attempt to authorize gets no answer                         |
| 4,000,409 | the first attempt to authorize is told that its key is in use         |
| 4,000,500 | the first two attempts to authorize are answered with a 500           |
| 4,000,777 | every webhook is sent twice                                           |
| 4,000,999 | the first capture is done, but its answer is lost                     |

The token `tok_declined` is declined at any amount, and on `tok_brief` money is held for two seconds only. Attempts
are counted by key, in memory.
"""

from collections import Counter
from random import Random
from typing import Annotated, Literal

import msgspec

from api.stub.book import Ask, Operation

Mode = Literal["normal", "decline", "error500", "busy", "timeout", "slow", "lose_answer", "repeat_webhook"]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mode, and when it applies: to an operation, to the next so many requests, with a probability."""

    mode: Mode = "normal"
    operation: Operation | None = None
    next: Annotated[int, msgspec.Meta(ge=0)] | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    seed: int = 0
    ms: Annotated[int, msgspec.Meta(ge=0, le=600_000)] = 250


NORMAL = Rule()
MAGIC = {
    4_000_002: Rule("decline", "authorize"),
    4_000_408: Rule("timeout", "authorize", next=1),
    4_000_409: Rule("busy", "authorize", next=1),
    4_000_500: Rule("error500", "authorize", next=2),
    4_000_777: Rule("repeat_webhook"),
    4_000_999: Rule("lose_answer", "capture", next=1),
}


class Faults:
    """The rule that is switched on, and how often each key has come."""

    def __init__(self) -> None:
        self.rule = NORMAL
        self._left: int | None = None
        self._drawn: Counter[str] = Counter()
        self._enchanted: Counter[str] = Counter()

    def switch(self, rule: Rule) -> None:
        """Let this rule apply from the next request on."""
        self.rule, self._left = rule, rule.next
        self._drawn.clear()

    def state(self) -> dict[str, object]:
        """The rule, with what is left of `next`."""
        return {**msgspec.structs.asdict(self.rule), "next": self._left}

    def draw(self, ask: Ask, key: str) -> Rule:
        """The rule for this request."""
        if self._switched(ask, key):
            return self.rule
        magic = MAGIC.get(ask.amount)
        return magic if magic and self._strikes(magic, ask, key) else NORMAL

    def _switched(self, ask: Ask, key: str) -> bool:
        rule = self.rule
        if rule.mode == "normal" or self._left == 0 or rule.operation not in (None, ask.operation):
            return False
        if rule.probability < 1 and self._chance(key) >= rule.probability:
            return False
        if self._left is not None:
            self._left -= 1
        return True

    def _chance(self, key: str) -> float:
        """A number that follows from seed, key and attempt, so that the order of arrival does not change it."""
        self._drawn[key] += 1
        return Random(f"{self.rule.seed}:{key}:{self._drawn[key]}").random()

    def _strikes(self, magic: Rule, ask: Ask, key: str) -> bool:
        if magic.operation not in (None, ask.operation):
            return False
        self._enchanted[key] += 1
        return magic.next is None or self._enchanted[key] <= magic.next
