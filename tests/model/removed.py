"""Removed says, for every rule, which model needs it and what goes wrong without it: docs/fenced-log.md shows how."""

from dataclasses import replace

from tests.model.effects import Effects
from tests.model.fenced import FencedLog
from tests.model.handover import Handover
from tests.model.reactions import Reactions
from tests.model.readers import Readers
from tests.model.rules import Rules
from tests.model.search import Report, search
from tests.model.snapshots import Snapshots

FENCED_LOG = {
    "epochs_increase": "stuck",
    "fresh_writer_ids": "duplicate",
    "read_up_to_own_claim": "duplicate",
    "check_that_the_claim_won": "false answer",
    "readers_apply_claims": "duplicate",
    "higher_epochs_win": "deposed",
    "checkpoints_keep_the_claim": "disagreement",
    "one_batch_per_commit": "torn",
    "compare_offsets": "false answer",
    "answer_after_ack": "false answer",
    "claim_after_unknown": "duplicate",
    "idempotent_producer": "duplicate",
    "drop_old_origins": "duplicate",
    "remember_client_ids": "duplicate",
    "record_noops": "false answer",
    "resume_from_log": "lost",
}
REACTIONS = {
    "react_to_effective_only": "phantom",
    "await_acks_in_order": "lost",
    "advance_after_acks": "lost",
    "one_reader_per_source": "lost",
    "retry_parked_as_new": "lost",
}
HANDOVER = {
    "position_before_end": "lost",
    "drain_before_handing_over": "lost",
    "inbox_ends_with_its_tenure": "lost",
    "position_after_outcomes": "lost",
}
EFFECTS = {
    "idempotency_key": "twice",
    "record_before_call": "orphan",
    "ask_until_answered": "orphan",
    "keys_outlive_attempts": "twice",
}
SNAPSHOTS = {
    "flush_in_one_transaction": "wrong state",
    "compare_and_set": "wrong state",
    "compare_for_equality": "wrong state",
    "loads_check_the_resume_point": "wrong state",
    "skip_versions_seen": "wrong state",
}
ALL = FENCED_LOG | REACTIONS | HANDOVER | EFFECTS | SNAPSHOTS


def without(rule: str) -> Report:
    """Search the smallest world that breaks when one rule is taken away."""
    rules = replace(Rules(), **{rule: False})
    if rule in REACTIONS:
        return search(Reactions(rules))
    if rule in HANDOVER:
        return search(Handover(rules))
    if rule in EFFECTS:
        return search(Effects(rules))
    if rule in SNAPSHOTS:
        return search(Snapshots(rules))
    if rule == "checkpoints_keep_the_claim":
        return search(Readers(FencedLog(rules, writers=2, claims=2, symmetric=False, keep_log=True)))
    return search(FencedLog(rules, writers=2, claims=2, symmetric=False))
