"""The part of the configuration that channel drivers read: `[channels.<name>.api]`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from canonical.stanza import PositiveDuration, Table


class Limit(Table):
    """At most `burst` calls at once and `rate` calls a second in the long run."""

    rate: Annotated[float, Field(gt=0)]
    burst: Annotated[int, Field(ge=1)] = 1


class Api(Table):
    """How a channel's own interface is reached. Which of these a driver needs, it says at start.

    `endpoint`, `token_endpoint`: https addresses (http on this machine only). Their hosts and `hosts` (names, or
    "*.name" for all below it) are the only ones ever called. `credentials`: what each is for → a file that holds it
    and nothing else, read again when it changes. `seller`, `marketplace`: the account there. `location`: the
    channel's id of the place whose stock it shows. `product_type`: of the listings, where patching asks for one.
    `limits`: operation → what the channel allows, where that is not what the driver believes. `timeout`: one whole
    request. `poll_every`: first pause before asking what became of what was accepted; later pauses are longer.
    `confirm`: read the quantity back after a patch, since accepted is not applied.
    """

    endpoint: str | None = None
    token_endpoint: str | None = None
    hosts: tuple[str, ...] = ()
    credentials: dict[str, str] = Field(default_factory=dict)
    seller: str | None = None
    marketplace: str | None = None
    location: str | None = None
    product_type: str = "PRODUCT"
    limits: dict[str, Limit] = Field(default_factory=dict)
    timeout: PositiveDuration = timedelta(seconds=30)
    poll_every: PositiveDuration = timedelta(seconds=15)
    confirm: bool = True
