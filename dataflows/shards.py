"""How many shards there are, and what the engine calls them. Fixed for the life of the state on disk.

The engine places a key on worker SipHash-1-3(key) modulo workers. The names are searched so that shard *i* lands on
worker *i* modulo workers for every count that divides 840: even load for 1 to 8, 10, 12, 14 and 15 workers.
`tests/dataflows/test_shards.py` holds the hash and the proof; a later engine's hash would cost balance, never truth.
"""

from __future__ import annotations

LANES = tuple(f"lane-{lane}" for lane in range(8))
NAMES = (
    "00-28",
    "01-3e1",
    "02-28",
    "03-7c",
    "04-d3",
    "05-520",
    "06-1f0",
    "07-2e7",
    "08-2f8",
    "09-2c9",
    "10-27c",
    "11-19e",
    "12-9c",
    "13-125",
    "14-1b9",
    "15-457",
)
ORDER_SHARDS = SKU_SHARDS = len(NAMES)
CHANNEL_SHARDS = 4
