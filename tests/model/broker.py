"""The broker of the model appends whatever reaches it; every reader makes the same of it. The invariants look on."""

from tests.model.history import Histories
from tests.model.rules import Rules
from tests.model.states import CLAIM, Landing, Message, State


class Broker:
    """The leader of the one partition. `keep_log` keeps every record in the state."""

    def __init__(self, rules: Rules, histories: Histories, *, keep_log: bool) -> None:
        self.rules, self.histories, self.keep_log = rules, histories, keep_log

    def land(self, s: State, message: Message) -> Landing:
        """The broker appends: readers agree on what the record is."""
        log = (*s.log, message) if self.keep_log else s.log
        epoch, writer = message[1], message[2]
        if message[0] == CLAIM:
            if epoch <= s.epoch and self.rules.higher_epochs_win:
                return Landing(s.epoch, s.writer, s.history, log, "")
            return Landing(epoch, writer, s.history, log, self._bad_claim(s, epoch))
        if (epoch, writer) != (s.epoch, s.writer) and self.rules.readers_apply_claims:
            return Landing(s.epoch, s.writer, s.history, log, "")
        return Landing(s.epoch, s.writer, message[4], log, self._bad_commit(s, message[3], message[4]))

    def _bad_claim(self, s: State, epoch: int) -> str:
        if self.histories.torn(s.history):
            return "torn: half of a commit counts"
        return "" if epoch == s.epoch + 1 else "deposed: a claim that did not know the owner takes effect"

    def _bad_commit(self, s: State, base: int, new: int) -> str:
        if base == s.history:
            return self.histories.flaw(new) or self._contradicted(s, new)
        before = {entry.command for entry in self.histories.entries[s.history]}
        entries = self.histories.entries
        added = [entry.command for entry in entries[new][len(entries[base]) :] if entry.outcome != "half"]
        twice = [command for command in added if command in before]
        if twice:
            return f"duplicate: {twice[0]} was handled twice"
        return "stale: a commit counts that was decided on another state"

    def _contradicted(self, s: State, new: int) -> str:
        wrong = s.told & self.histories.bits(new, "accepted")
        return "false answer: the client was refused, and then served" if wrong else ""
