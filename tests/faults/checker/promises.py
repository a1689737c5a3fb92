"""Promises are the invariants by name, each as a sentence: what the checker holds a run to."""

PROMISES = {
    # clients
    "clients.accepted_has_outcome": "Every accepted command has an outcome in the log",
    "clients.one_outcome": "A command has one outcome, however often it was sent",
    "clients.unknown_at_most_once": "A request without a clear answer has one outcome at most",
    "clients.no_ghost": "Whatever happened for a client was asked for by a request that was not refused",
    "clients.refused_has_no_effect": "A request that was refused at the door has changed nothing",
    "clients.answers_are_true": "What a client was told of its command is what the log says",
    "clients.as_asked": "What was recorded is what was asked for",
    # the log
    "log.readable": "Every record that counts makes sense",
    "log.one_owner": "Claims take effect in turn, each by a writer never seen before",
    "log.claims_again": "An owner that finds a foreign record claims again before it goes on",
    "log.versions_gapless": "Versions of an aggregate count up by one among the records that count",
    "log.at_home": "A stream lives in one partition, and its name is its records' key",
    "log.answers_its_command": "A record answers the command at the position that it names",
    "log.every_command_answered": "Every command on a topic is answered, parked, or a repeat of one that is",
    "log.reactions_once": "Every event is reacted to once by each context that listens, and nothing else is",
    "log.no_float": "No number is a float",
    # orders
    "orders.legal_steps": "An order takes legal steps only",
    "orders.one_end": "An order ends once, and nothing happens after its end",
    # stock
    "stock.no_oversell": "At no moment is more held than there is",
    "stock.legal_steps": "A reservation takes legal steps only",
    "stock.released_once": "What was held is released or shipped once",
    "stock.held_is_ordered": "What is held for an order is what it asked for",
    "stock.settled": "In the end nothing is held for an order that is over, and all for one that is confirmed",
    "stock.refusals_honest": "Stock is refused only where there is too little",
    # money, by the provider's own ledger
    "money.kept_is_owed": "Captured less refunded is what is owed, for every order",
    "money.totals": "Captured less refunded is what is owed, in total",
    "money.one_capture": "The provider is asked for the same money once",
    "money.amounts": "Amounts and currency are the order's",
    "money.events_agree": "Our events and the provider's ledger say the same",
    "money.compensated_once": "What was authorized or captured for an order that is off is voided or refunded, once",
    "money.legal_steps": "A payment takes legal steps only",
    # read models
    "views.checkpoint": "A checkpoint names a place in the log, and the claim in force there",
    "views.orders": "Orders are the fold of the log at their checkpoint",
    "views.products": "Products and stock are the fold of the log at their checkpoint",
    "views.payments": "Payments are the fold of the log at their checkpoint",
    "views.users": "Users are the fold of the log at their checkpoint",
    "views.notifications": "Notifications are the fold of the log at their checkpoint",
    "views.history": "The history has every event that counts, as it lies in the log",
    "views.outcomes": "Every client's command has its outcome in the table",
    "views.dead_letters": "The table of dead letters is what the log says was parked",
    "views.snapshots": "Snapshots are not ahead of the log, nor behind their resume point",
    "views.statistics": "Figures per minute are what the log adds up to",
    # notifications
    "notifications.never_missing": "Every milestone has its mail",
    "notifications.at_most_once": "No milestone has two mails, and there are no others",
    # liveness
    "liveness.settled": "In the end nothing is under way",
    "liveness.in_time": "All is settled within 60 s of healing",
    # dead letters
    "letters.only_poison": "Nothing is parked but poison",
    "letters.all_poison": "All poison is parked, once, or does not count",
}
