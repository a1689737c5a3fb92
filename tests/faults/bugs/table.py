"""Table says of every bug what makes it visible, and which of the checker's promises must then be found broken.

`needs` are words of the harness: a fault (`kill`, `stop`, `broker-kill`, `poison`), one with its target or mode
(`failpoint:writer.decided:stop`, `provider-mode:lose_answer`, `mail-mode:drop`), or something that clients do
(`load:cancel paid`). They are few, and as sure as can be; the docstring of the bug may name more. None: it shows in
every run.
`promises` are beginnings of names in tests/faults/checker/promises.py; the first is the one to expect, and at least one
of them must be broken.
"""

from typing import NamedTuple


class Row(NamedTuple):
    """One bug."""

    needs: tuple[str, ...]
    promises: tuple[str, ...]
    orders: int = 200


TABLE = {
    "dedupe-off": Row(
        ("load:repeat",),
        ("clients.one_outcome", "clients.unknown_at_most_once", "log.reactions_once", "log.every_command_answered"),
    ),
    "offset-comparison-off": Row(
        ("poison", "failpoint:writer.decided:stop"),
        ("log.claims_again", "log.versions_gapless", "log.every_command_answered"),
    ),
    "claims-ignored": Row(
        ("failpoint:writer.decided:stop",),
        ("views.history", "log.reactions_once", "views.", "log.versions_gapless"),
    ),
    "epoch-not-raised": Row(
        ("failpoint:writer.decided",),
        ("clients.accepted_has_outcome", "log.every_command_answered", "liveness.settled"),
    ),
    "commit-before-write": Row(
        ("poison", "broker-kill"),
        ("log.versions_gapless", "log.every_command_answered", "log.claims_again", "clients.accepted_has_outcome"),
    ),
    "version-repeated": Row((), ("log.versions_gapless",)),
    "checkpoint-apart": Row(
        ("failpoint:view.committing:kill:40",),  # the first commits after a start may hold no more than claims
        ("views.",),
    ),
    "view-skips-at-border": Row((), ("views.",)),
    "snapshot-ahead": Row(
        ("failpoint:snapshot.committing",),
        ("views.snapshots", "liveness.settled", "log.versions_gapless", "log.every_command_answered"),
    ),
    "reaction-acked-early": Row(
        ("failpoint:reaction.sent",),
        ("log.reactions_once", "liveness.settled"),
    ),
    "oversell": Row(("load:hot",), ("stock.no_oversell",), orders=600),
    "release-twice": Row(("load:declined", "load:cancel"), ("stock.released_once", "stock.legal_steps", "stock.")),
    "stock-never-released": Row(("load:declined", "load:hot"), ("stock.settled", "log.reactions_once")),
    "no-refund": Row(("load:cancel paid",), ("money.kept_is_owed", "money.totals", "money.compensated_once")),
    "price-as-float": Row((), ("log.no_float", "clients.as_asked", "money.amounts")),
    "provider-key-random": Row(
        ("provider-mode:lose_answer",),
        ("money.one_capture", "money.kept_is_owed", "money."),
    ),
    "mail-id-random": Row(("mail-mode:drop",), ("notifications.",)),
    "poison-skipped": Row(("poison",), ("letters.all_poison", "views.dead_letters")),
    "api-answers-early": Row(
        ("failpoint:api.sending",),
        ("clients.accepted_has_outcome",),
    ),
}
