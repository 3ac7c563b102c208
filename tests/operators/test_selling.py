"""A sale is told once: with the first document of its order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from canonical import events as e
from canonical.channel_news import Sold
from canonical.messages import Parcel, Time
from canonical.policy import Policy
from operators.order_shard import OrderShard

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def at(minute: int) -> datetime:
    return DAY + timedelta(minutes=minute)


def event(kind: Any, minute: int, data: Any) -> Any:
    return kind(specversion="1.0", id=f"{minute}", source="/web", subject="O", time=at(minute), data=data)


def document(minute: int, *units: int, version: int = 1, kind: Any = e.OrderPlaced) -> Any:
    lines = [e.OrderLine(str(n), f"sku-{n}", quantity, "1.00") for n, quantity in enumerate(units)]
    return event(kind, minute, e.OrderDocument("O", "web", "EUR", lines, version))


def shard() -> OrderShard:
    return OrderShard(0, 1, 1, ("lane",), Policy(), None)


def sold(orders: OrderShard, *events: Any) -> list[Sold]:
    news = orders.apply([Parcel(list(events), Time("lane", DAY, DAY, ended=False, now=DAY))]).news
    return [] if news is None else news.sold


def test_every_line_of_the_first_document_is_a_sale() -> None:
    assert sold(shard(), document(1, 2, 3)) == [
        Sold("web", "sku-0", 2, at(1)),
        Sold("web", "sku-1", 3, at(1)),
    ]


def test_changes_repeats_and_cancellations_are_none() -> None:
    orders = shard()
    sold(orders, document(1, 2))
    changed = document(2, 9, version=2, kind=e.OrderChanged)
    cancelled = event(e.OrderCancelled, 3, e.Cancellation("O"))
    assert sold(orders, document(1, 2), changed, cancelled) == []


def test_an_order_heard_of_before_its_document_is_still_sold() -> None:
    orders = shard()
    assert sold(orders, event(e.OrderAccepted, 1, e.Acceptance("O"))) == []
    assert [sale.units for sale in sold(orders, document(2, 4))] == [4]


def test_an_order_first_heard_of_by_a_change_is_sold_as_changed() -> None:
    orders = shard()
    assert [x.units for x in sold(orders, document(2, 9, version=2, kind=e.OrderChanged))] == [9]
    assert sold(orders, document(1, 2)) == []


def test_a_restored_shard_does_not_sell_again() -> None:
    orders, again = shard(), shard()
    sold(orders, document(1, 2))
    again.restore(orders.snapshot())
    assert sold(again, document(2, 9, version=2, kind=e.OrderChanged)) == []
