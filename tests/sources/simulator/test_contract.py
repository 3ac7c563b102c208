"""What the simulator writes is the contract: types, envelope, keys, order, numbers."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise
from typing import Union

import msgspec

from canonical.topics import EVENT_TYPES, STEM_OF, TYPE_NAME
from tests.sources.simulator.reading import STEMS, Day

FIELDS = ["specversion", "id", "source", "type", "subject", "time"]
FIELDS += ["sequence", "dataschema", "correlationid", "traceparent", "data"]


def test_every_event_is_of_the_contract(clean: Day) -> None:
    decoder = msgspec.json.Decoder(Union[EVENT_TYPES])  # noqa: UP007  only Union takes a tuple
    for stem in STEMS:
        assert {STEM_OF[type(decoder.decode(line))] for line in clean.lines(stem)} == {stem}


def test_lines_are_compact_with_keys_in_a_fixed_order(clean: Day) -> None:
    for stem in STEMS:
        for line in clean.lines(stem):
            event = json.loads(line)
            assert list(event) == [name for name in FIELDS if name in event]
            assert line.decode() == json.dumps(event, separators=(",", ":"))


def test_the_subject_is_the_key(clean: Day) -> None:
    for stem in STEMS:
        for event in clean.events(stem):
            data = event["data"]
            key = data.get("sku") if stem in {"inventory", "products"} else data.get("order_id")
            assert event["subject"] == (key or f"{data['channel']}|{data['sku']}")


def test_every_type_but_the_faulty_occurs_and_every_id_once(clean: Day) -> None:
    events = clean.events()
    faulty = {"order.rejected", "shipment.exception", "shipment.returned_to_sender", "listing.rejected"}
    assert {event["type"] for event in events} == set(TYPE_NAME.values()) - faulty
    assert len({(event["source"], event["id"]) for event in events}) == len(events)


def test_files_are_in_time_order_and_the_last_event_is_at_the_end(clean: Day) -> None:
    for stem in STEMS:
        times = [event["time"] for event in clean.events(stem)]
        assert times == sorted(times), stem
    greatest = max(event["time"] for event in clean.events())
    assert greatest == clean.summary.as_of == clean.truth("run")[0]["as_of"] == "2026-03-04T00:00:00.000Z"


def test_a_warehouse_numbers_its_inventory_messages_without_a_hole(clean: Day) -> None:
    numbers: dict[str, list[int]] = defaultdict(list)
    for event in clean.events():
        if "sequence" in event:
            numbers[event["source"]].append(int(event["sequence"]))
    assert sorted(numbers) == ["/wms/3pl-1", "/wms/dc-east", "/wms/dc-west", "/wms/store-1"]
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def test_watched_sources_are_never_silent_for_an_hour(clean: Day) -> None:
    times: dict[str, list[int]] = defaultdict(list)
    for event in clean.events():
        day, clock = int(event["time"][8:10]), event["time"][11:16]
        times[event["source"]].append(day * 1440 + int(clock[:2]) * 60 + int(clock[3:]))
    watched = ["/wms/store-1", "/wms/3pl-1", "/erp/stock", "/channels/storefront", "/channels/walmart"]
    for source in watched:
        found = sorted(times[source])
        assert max(after - before for before, after in pairwise(found)) < 60


def test_exactly_the_asked_orders_are_placed_by_every_channel(clean: Day) -> None:
    channels = [event["data"]["channel"] for event in clean.placed().values()]
    assert len(channels) == clean.summary.orders == 1500
    assert {name: channels.count(name) for name in set(channels)} == {
        "amazon-us": 675,
        "walmart": 375,
        "storefront": 450,
    }
