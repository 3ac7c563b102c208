"""How much each pool can promise, by maximum flow: demand → the locations that may keep it → their supply."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import networkx as nx

SOURCE, SINK = ("source", ""), ("sink", "")


@dataclass(frozen=True)
class Demand:
    """Promised units that may be kept from any of these locations. `units` None: without end."""

    name: str
    units: int | None
    locations: frozenset[str]


def kept(demands: Iterable[Demand], supply: dict[str, int]) -> int:
    """The most promised units that the supply can keep."""
    graph = nx.DiGraph()
    graph.add_nodes_from([SOURCE, SINK])
    for location, units in supply.items():
        graph.add_edge(("location", location), SINK, capacity=units)
    for demand in demands:
        node = ("demand", demand.name)
        bound = {} if demand.units is None else {"capacity": demand.units}
        graph.add_edge(SOURCE, node, **bound)
        for location in demand.locations & supply.keys():
            graph.add_edge(node, ("location", location))
    return int(nx.maximum_flow_value(graph, SOURCE, SINK))


def room(own: Demand, others: list[Demand], supply: dict[str, int]) -> int:
    """The most extra units the demand's pool can promise without breaking a promise that can be kept.

    Min cut over the sets that contain the pool's demand: maximum flow with that demand endless (a cut cannot
    leave it out). Over the sets that do not: its units, plus the maximum flow without it.
    """
    endless = Demand(own.name, None, own.locations)
    return kept([*others, endless], supply) - (own.units or 0) - kept(others, supply)


def shortage(demands: list[Demand], supply: dict[str, int]) -> int:
    """Promised units that cannot be kept however they are sourced."""
    return sum(demand.units or 0 for demand in demands) - kept(demands, supply)
