"""Proofs are shown: digests side by side, and where rows differ, which and how, field by field."""

from collections.abc import Mapping

from workers.operator.terms import Exit, Refused, screen, show_json, table, unknown
from workers.proof import Proof, shown


def spoken(positions: Mapping[int, int]) -> str:
    """Positions as the command line takes them."""
    return ",".join(f"{p}:{at}" for p, at in sorted(positions.items()))


def understood(said: str, there: Mapping[int, int]) -> dict[int, int]:
    """The next offset of each partition, from words such as 0:120,1:98; one that is not named begins from nothing.

    Raises:
        ValueError: that is not what the words are.
        Refused: they name a partition twice, or what is not there.
    """
    pairs = [(int(p), int(at)) for p, _, at in (one.partition(":") for one in said.split(","))]
    wanted = dict(pairs)
    if len(wanted) != len(pairs):
        raise Refused(f"{said!r} names a partition twice", Exit.UNKNOWN)
    if strange := wanted.keys() - there.keys():
        raise unknown("partition", str(min(strange)), [str(p) for p in there])
    if beyond := [f"{p}:{at}" for p, at in wanted.items() if not 0 <= at <= there[p]]:
        raise Refused(f"position {beyond[0]} is beyond what there is: {spoken(there)}", Exit.UNKNOWN)
    return {p: wanted.get(p, 0) for p in there}


def show_proof(proof: Proof, as_json: bool) -> None:
    """What the comparison has found."""
    if as_json:
        document = {name: getattr(proof, name) for name in proof.__struct_fields__}
        show_json({"proof": document, "sound": proof.sound, "same": proof.same, "fields": proof.fields()})
        return
    pane = screen()
    rows = [
        {"version": f"{proof.live} (live)", "rows": proof.live_rows, "digest": proof.live_digest},
        {"version": proof.new, "rows": proof.new_rows, "digest": proof.new_digest},
    ]
    pane.print(f"At positions {spoken(proof.positions)}:" if not proof.note else proof.note)
    if proof.live_digest:
        pane.print(table(rows))
    if proof.folded:
        pane.print(f"{proof.folded} keys folded a second time, {len(proof.misfolded)} with another row")
    for table_name, sums in ((proof.new, proof.sums), (f"{proof.live} (live)", proof.live_sums)):
        if sums:
            pane.print(f"{sums} totals of {table_name} are not the sum of their rows")
    if proof.differing or proof.misfolded:
        count = len(proof.differing) or len(proof.misfolded)
        fields = ", ".join(f"{name} {number}" for name, number in proof.fields().items())
        pane.print(f"{count} {'row differs' if count == 1 else 'rows differ'}; by field: {fields}")
        pane.print(table(shown(proof.differing or proof.misfolded, 10)))
    elif proof.live_digest:
        pane.print("Every row is the same." if proof.same_code else "The columns that both have are the same.")
