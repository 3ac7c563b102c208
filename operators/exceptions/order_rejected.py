"""`order_rejected`: the ERP refused the order, and has not accepted it since; over when the order is cancelled."""

from __future__ import annotations

from collections.abc import Iterator

from operators.exceptions.order_view import Finding, View, clock, waiting
from operators.hindsight import verdicts


def order_rejected(view: View) -> Iterator[Finding]:
    """One finding from the first refusal after the last acceptance on."""
    verdict = view.order.verdict
    if verdict is None or verdict[2] or view.so_far.cancelled_at is not None:
        return
    words = verdicts(view.order)
    first = verdict
    for word in reversed(words):
        if word[2]:
            break
        first = word
    units, value = view.worth(waiting)
    yield Finding(
        code="order_rejected",
        subject=view.id,
        owner="commerce",
        units=units,
        value=value,
        ranks=(first[1], *view.document_rank),
        message=(
            f"{view.name()} was refused by the ERP on {clock(first[0])} ({first[3] or 'no reason given'}):"
            " correct it and send it again, or cancel it and tell the customer."
        ),
    )
