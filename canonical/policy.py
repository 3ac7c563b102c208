"""The configuration as the rest of the code sees it: validated, typed, frozen (DESIGN section 9).

pydantic reads it once at start; an unknown key or an impossible value is refused naming the key.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from canonical.api import Api
from canonical.stanza import Duration, PositiveDuration, Share, Table

MAX_POOLS_IN_A_GROUP = 12
ALL = "all"
"""The pool of every location, used where no pools are configured and by channels that name none."""


class Time(Table):
    """The bounds of event time (DESIGN section 5). `tick`: how long changes of a SKU are gathered."""

    allowed_lateness: Duration = timedelta(minutes=10)
    retention: Duration = timedelta(days=30)
    max_future: Duration = timedelta(minutes=5)
    orphan_grace: Duration = timedelta(hours=1)
    erp_grace: Duration = timedelta(hours=4)
    listing_grace: Duration = timedelta(minutes=30)
    tick: Duration = timedelta(0)


class Source(Table):
    """`expected_every`: silent for longer, it is stale. `feeds`: the locations its word decides."""

    expected_every: Duration | None = None
    feeds: tuple[str, ...] = ()


class Location(Table):
    """`movements` false: sends counts only. `counts` "available": its counts are already net of promises."""

    safety_stock: Annotated[int, Field(ge=0)] = 0
    count_tolerance: Annotated[int, Field(ge=0)] = 0
    movements: bool = True
    counts: Literal["physical", "available"] = "physical"
    cut_margin: Duration = timedelta(minutes=30)


class Sla(Table):
    """Deadlines per channel; what has no entry is not watched. Defaults: see README, "Deadlines"."""

    accepted: Duration | None = timedelta(minutes=15)
    allocated: Duration | None = timedelta(minutes=30)
    released: Duration | None = timedelta(hours=2)
    picked: Duration | None = timedelta(hours=8)
    packed: Duration | None = timedelta(hours=10)
    shipped: Duration | None = timedelta(hours=24)
    acknowledged: Duration | None = timedelta(hours=2)
    delivered: Duration | None = timedelta(days=7)
    goods_issue: Duration | None = timedelta(hours=4)
    posted: Duration | None = timedelta(hours=24)
    shipment_confirmed: Duration | None = timedelta(hours=4)
    refunded: Duration | None = timedelta(days=3)
    stock_sync: Duration | None = timedelta(minutes=15)
    ingested: Duration | None = None


class Channel(Table):
    """How a channel is told (DESIGN section 7). `rate`: calls a second; `batch`: SKUs a call; costs are per unit.

    `excluded`: SKUs not for sale there. `demand_half_life`: after it a sale counts half in the demand expected.
    `turn`: how long a wrong listing is expected to wait; `deadband`: up to so many units expected lost in a turn, a
    change waits until calls are ample. `answer_within`: silence for so long after an update means it failed.
    `lowers_on_sale`: the channel subtracts its own sales from what it shows. `driver`: who tells it, by `api`.
    """

    source: str | None = None
    pool: str | None = None
    share: Share = 1.0
    buffer: Annotated[int, Field(ge=0)] = 0
    stale_buffer: Annotated[int, Field(ge=0)] = 0
    max_listed: Annotated[int, Field(ge=0)] | None = None
    rate: Annotated[float, Field(gt=0)] = 1.0
    burst: Annotated[int, Field(ge=1)] = 10
    batch: Annotated[int, Field(ge=1)] = 1
    fair_share: Share = 0.05
    oversell_cost: Annotated[float, Field(ge=0)] = 5.0
    lost_sale_cost: Annotated[float, Field(ge=0)] = 1.0
    excluded: tuple[str, ...] = ()
    demand_half_life: PositiveDuration = timedelta(days=14)
    turn: PositiveDuration = timedelta(hours=1)
    deadband: Annotated[float, Field(ge=0)] = 1e-4
    answer_within: PositiveDuration = timedelta(minutes=5)
    lowers_on_sale: bool = False
    driver: str | None = None
    api: Api = Api()
    sla: Sla = Sla()


class Severity(Table):
    """An exception is at least this severe from this value (in its own currency) or this many units on.

    `overdue`: it becomes one level more severe each time it has stayed open for longer than one of these.
    """

    critical_value: Annotated[float, Field(ge=0)] = 10_000
    high_value: Annotated[float, Field(ge=0)] = 1_000
    medium_value: Annotated[float, Field(ge=0)] = 100
    critical_units: Annotated[int, Field(ge=1)] = 500
    high_units: Annotated[int, Field(ge=1)] = 50
    medium_units: Annotated[int, Field(ge=1)] = 5
    overdue: tuple[Duration, ...] = (timedelta(hours=4), timedelta(hours=24))


class Snapshots(Table):
    """Parquet snapshots. `root`: a directory or s3:// address, by default the output directory.

    Kept are the newest `keep`, and of each day within `keep_daily` the last; of the histories the days within
    `keep_history` (by default all). `on_full_disk` "continue": the old snapshot stays, the next is tried in time.
    """

    every: PositiveDuration = timedelta(minutes=5)
    keep: Annotated[int, Field(ge=1)] = 288
    keep_daily: Duration = timedelta(days=30)
    keep_history: PositiveDuration | None = None
    compact_history: bool = True
    on_full_disk: Literal["stop", "continue"] = "stop"
    root: str | None = None


class Oauth(Table):
    """How a token is asked for (OpenID Connect client credentials)."""

    token_endpoint_url: str
    client_id: str
    client_secret_file: str
    scope: str | None = None
    extensions: str | None = None


class Kafka(Table):
    """How brokers are spoken to. Credentials are files, each holding one and nothing else, read at start.

    `group`: lag monitors are shown positions under this name; they are never read back. `delivery_timeout`:
    so long an output waits for the brokers before the job stops. `lane_memory_mib`: fetched ahead, per lane.
    """

    security: Literal["plaintext", "tls", "sasl_plaintext", "sasl_tls"] = "plaintext"
    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "OAUTHBEARER"] | None = None
    username_file: str | None = None
    password_file: str | None = None
    oauth: Oauth | None = None
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    key_password_file: str | None = None
    group: Annotated[str, Field(min_length=1)] = "sellable"
    start_timeout: Duration = timedelta(seconds=30)
    delivery_timeout: Duration = timedelta(minutes=2)
    lane_memory_mib: Annotated[int, Field(ge=1, le=1024)] = 16

    @model_validator(mode="after")
    def _credentials_fit(self) -> Kafka:
        signed_in = self.security.startswith("sasl")
        if signed_in != (self.mechanism is not None):
            raise ValueError("mechanism: goes with security sasl_tls or sasl_plaintext, and those with one")
        if (self.mechanism == "OAUTHBEARER") != (self.oauth is not None):
            raise ValueError("oauth: goes with mechanism OAUTHBEARER, and that with a table [kafka.oauth]")
        by_password = signed_in and self.mechanism != "OAUTHBEARER"
        if by_password != (self.username_file is not None and self.password_file is not None):
            raise ValueError(
                "username_file, password_file: both go with SCRAM and PLAIN, and those with both"
            )
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file, key_file: neither is of use without the other")
        if not self.security.endswith("tls") and (self.ca_file or self.certificate_file):
            raise ValueError("ca_file, certificate_file: are for security tls or sasl_tls only")
        return self


class Policy(Table):
    """One retailer's whole configuration. `Policy()` is the zero configuration: one pool, default deadlines."""

    time: Time = Time()
    severity: Severity = Severity()
    snapshots: Snapshots = Snapshots()
    sources: dict[str, Source] = Field(default_factory=dict)
    locations: dict[str, Location] = Field(default_factory=dict)
    pools: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    channels: dict[str, Channel] = Field(default_factory=dict)
    kafka: Kafka = Kafka()

    @model_validator(mode="after")
    def _pools_fit(self) -> Policy:
        if ALL in self.pools:
            raise ValueError(
                f'pools.{ALL}: "{ALL}" is the built-in pool of every location; choose another name'
            )
        for name, channel in self.channels.items():
            if channel.pool is not None and channel.pool != ALL and channel.pool not in self.pools:
                known = ", ".join(sorted(self.pools)) or "none"
                raise ValueError(f"channels.{name}.pool: no pool {channel.pool!r}; [pools] has: {known}")
        for group in connected(self.pools):
            if len(group) > MAX_POOLS_IN_A_GROUP:
                raise ValueError(
                    f"pools: {len(group)} pools overlap in one group ({', '.join(sorted(group)[:4])}, …);"
                    f" at most {MAX_POOLS_IN_A_GROUP} may: merge some, or give them locations of their own"
                )
        return self

    def pool_of(self, channel: str) -> str:
        """The pool a channel draws on."""
        stanza = self.channels.get(channel)
        return stanza.pool if stanza is not None and stanza.pool is not None else ALL


def connected(pools: dict[str, tuple[str, ...]]) -> list[set[str]]:
    """Groups of pools that share locations, directly or through others."""
    groups: list[tuple[set[str], set[str]]] = []
    for name, locations in pools.items():
        names, places = {name}, set(locations)
        for group in [g for g in groups if g[1] & places]:
            groups.remove(group)
            names |= group[0]
            places |= group[1]
        groups.append((names, places))
    return [names for names, _ in groups]


def sentence(error: dict[str, Any]) -> str:
    """One pydantic error → `key: what is wrong`, in the words of the configuration file."""
    path = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{path}: unknown key"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{path}: {message}" if path else message
