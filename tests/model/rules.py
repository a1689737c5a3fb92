"""Rules are the sentences of the protocol that the models can take away, one at a time (docs/fenced-log.md)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """All of them hold, unless a test takes one away to see what breaks."""

    # 1. Claim.
    epochs_increase: bool = True
    fresh_writer_ids: bool = True
    read_up_to_own_claim: bool = True
    check_that_the_claim_won: bool = True
    # 2. Effective records.
    readers_apply_claims: bool = True
    higher_epochs_win: bool = True
    checkpoints_keep_the_claim: bool = True
    # 3. Append.
    one_batch_per_commit: bool = True
    compare_offsets: bool = True
    answer_after_ack: bool = True
    claim_after_unknown: bool = True
    idempotent_producer: bool = True
    # 4. Exactly once per input.
    drop_old_origins: bool = True
    remember_client_ids: bool = True
    record_noops: bool = True
    resume_from_log: bool = True
    # 5. Reactions.
    react_to_effective_only: bool = True
    await_acks_in_order: bool = True
    advance_after_acks: bool = True
    one_reader_per_source: bool = True
    retry_parked_as_new: bool = True
    # 5. Reactions that need no topic.
    position_before_end: bool = True
    drain_before_handing_over: bool = True
    inbox_ends_with_its_tenure: bool = True
    position_after_outcomes: bool = True
    # 6. Effects.
    idempotency_key: bool = True
    record_before_call: bool = True
    ask_until_answered: bool = True
    keys_outlive_attempts: bool = True
    # Snapshots, a cache.
    flush_in_one_transaction: bool = True
    compare_and_set: bool = True
    compare_for_equality: bool = True
    loads_check_the_resume_point: bool = True
    skip_versions_seen: bool = True
