"""Proofs are shown: digests side by side, and where rows differ, which and how, field by field."""

from workers.operator.terms import screen, show_json, table
from workers.proof import Proof, shown


def spoken(positions: dict[int, int]) -> str:
    """Positions as the command line takes them."""
    return ",".join(f"{p}:{at}" for p, at in sorted(positions.items()))


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
