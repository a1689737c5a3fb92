"""Order rules: placed once, then secured, confirmed, shipped and delivered, or rejected or cancelled, once.

The command names the rule, and the theme its file: placing, amending, cancelling (whole or by line),
shipping, returning.
"""

from aggregates.decider import Decider, alone
from aggregates.order.amending import add_note, amend, change_address
from aggregates.order.cancelling import cancel, cancel_line, cancel_rest, record_lapse, reject
from aggregates.order.placing import confirm, place, record_commitment, record_reservation
from aggregates.order.returning import receive_return, request_return
from aggregates.order.shipping import deliver, ship
from aggregates.order.state import GONE, OVER, Order, Status, evolve
from schemas.order import (
    AddNote,
    AmendOrder,
    CancelLine,
    CancelOrder,
    CancelRest,
    ChangeAddress,
    ConfirmOrder,
    DeliverOrder,
    PlaceOrder,
    ReceiveReturn,
    RecordCommitment,
    RecordLapse,
    RecordReservation,
    RejectOrder,
    RequestReturn,
    ShipOrder,
)

__all__ = ("DECIDER", "GONE", "OVER", "Order", "Status", "evolve")

DECIDER = Decider(
    context="order",
    initial={"order": Order()},
    evolve=evolve,  # type: ignore[arg-type]
    decide=alone(
        {
            PlaceOrder: place,
            RecordReservation: record_reservation,
            ConfirmOrder: confirm,
            RecordCommitment: record_commitment,
            RejectOrder: reject,
            RecordLapse: record_lapse,
            CancelOrder: cancel,
            CancelLine: cancel_line,
            CancelRest: cancel_rest,
            ShipOrder: ship,
            DeliverOrder: deliver,
            RequestReturn: request_return,
            ReceiveReturn: receive_return,
            ChangeAddress: change_address,
            AmendOrder: amend,
            AddNote: add_note,
        }
    ),
)
