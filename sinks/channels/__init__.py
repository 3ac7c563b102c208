"""Tells channels what they may sell: one file per driver, each channel in a thread of its own (DESIGN section 7).

    `Desk.submit(updates)`  →  a `Worker` per channel gathers the latest of each SKU  →  its driver sends and polls
        →  `Desk.poll(now)` gives the answers as `listings` events

A driver is a module here that has `NEEDS` and `start` (see `driver`); the configuration names it, no list does.
"""
