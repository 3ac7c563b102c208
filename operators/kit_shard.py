"""One shard of kits: what can be sold of a SKU that is made of others (DESIGN section 4).

ats(kit, P) = min over components ⌊ats(component, P) / quantity⌋
"""

from __future__ import annotations

from msgspec import Struct

from canonical.channel_news import Offer
from canonical.keys import shard_of
from canonical.messages import Part, Parts
from canonical.outputs import Availability, PoolAvailability
from canonical.policy import Policy
from operators.kits import Kits, KitsState
from operators.offering import offer_of
from operators.pools import Pools
from operators.seal import seal, unseal


class State(Struct, array_like=True):
    """What a snapshot of the shard holds."""

    kits: KitsState
    parts: dict[str, Part]


class KitShard:
    """The kits that hash to `index`, and where every part of theirs stands."""

    def __init__(self, index: int, shards: int, policy: Policy) -> None:
        self._index, self._shards = index, shards
        self._kits = Kits()
        self._parts: dict[str, Part] = {}
        self._pools = Pools(policy.pools).names

    def apply(self, messages: list[Parts]) -> list[Availability]:
        """Take kit definitions and parts; the records of every kit they concern, conflated."""
        concerned: set[str] = set()
        for message in messages:
            for event in message.kits:
                concerned |= self._kits.apply(event)
            for part in message.parts:
                known = self._parts.get(part.sku)
                if known is None or part.record.version >= known.record.version:
                    self._parts[part.sku] = part
                    concerned.add(part.sku)
        return [record for kit in self._mine(concerned) if (record := self._record(kit)) is not None]

    def _mine(self, concerned: set[str]) -> list[str]:
        kits = [kit for kit in self._kits.known() if shard_of(kit, self._shards) == self._index]
        return [kit for kit in kits if kit in concerned or not concerned.isdisjoint(self._kits.ever(kit))]

    def _record(self, kit: str) -> Availability | None:
        """None until the kit's own facts are here: they come with its definition, one batch apart at most."""
        own = self._parts.get(kit)
        if own is None:
            return None
        heard = self._heard(kit)
        version = sum(part.record.version for part in heard)
        latest = self._latest(heard).record
        parts = self._kits.parts(kit)
        if parts is None:
            pools, shortage, locations = own.record.pools, own.record.shortage, own.record.locations
        else:
            pools = [PoolAvailability(pool, self._ats(pool, parts), 0) for pool in self._pools]
            shortage, locations = 0, []
        return Availability(kit, version, latest.as_of, pools, shortage, locations, latest.correlationid)

    def _heard(self, kit: str) -> list[Part]:
        """The kit's own part, then those of all it is or was made of."""
        names = (kit, *sorted(self._kits.ever(kit)))
        return [self._parts[sku] for sku in names if sku in self._parts]

    def _latest(self, heard: list[Part]) -> Part:
        return max(heard, key=lambda part: (part.record.as_of, part.rank))

    def offer(self, record: Availability) -> Offer:
        """A record just told, as channels take it."""
        own, parts = self._parts[record.sku], self._kits.parts(record.sku)
        everywhere = own.everywhere
        if parts is not None:
            known = self._parts
            everywhere = min(
                known[sku].everywhere // per if sku in known else 0 for sku, per in parts.items()
            )
        rank = self._latest(self._heard(record.sku)).rank
        return offer_of(record, rank, everywhere, own.listings, active=own.active)

    def _ats(self, pool: str, parts: dict[str, int]) -> int:
        return min(self._part_ats(pool, sku) // per for sku, per in parts.items())

    def _part_ats(self, pool: str, sku: str) -> int:
        part = self._parts.get(sku)
        if part is None:
            return 0
        return next((entry.ats for entry in part.record.pools if entry.pool == pool), 0)

    def check(self) -> None:
        """Raise AssertionError if an invariant of the state does not hold."""
        for kit in self._mine(set(self._kits.known())):
            record = self._record(kit)
            assert record is None or all(pool.ats >= 0 for pool in record.pools), f"{kit}: negative ats"

    def snapshot(self) -> bytes:
        return seal("kits", self._index, self._shards, State(self._kits.snapshot(), self._parts))

    def restore(self, sealed: bytes) -> None:
        state: State = unseal("kits", self._index, self._shards, sealed, State)
        self._kits.restore(state.kits)
        self._parts = dict(state.parts)
