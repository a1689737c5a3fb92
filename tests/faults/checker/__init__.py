"""The checker says whether a run kept its promises, from evidence alone: it imports nothing of the application.

It has its own Kafka client, its own fold of the fenced log, its own state of every order, product, payment and
message. What the rules are, it knows from docs/fenced-log.md, docs/choreography.md and docs/catalogue.md.

    collect.py   evidence.json → dump/: topics, tables, ledger and mails as lines of JSON
    wire.py      a line of the dump ⇄ a record
    fence.py     which records count
    folds/       what the records that count add up to, and whether each step was legal
    reading.py   the one pass over the dump that feeds all of them
    invariants/  what must hold in the end, a module per theme
    windows.py   how often the faults hit where it is interesting
    timeline.py  everything about one order, in order of time
    verdict.py   valid, invalid or unknown, and the account of it
"""
