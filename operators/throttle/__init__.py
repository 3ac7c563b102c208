"""The throttle: which SKU each channel is told next, when only so many calls are allowed (DESIGN section 7).

    offers and sales  →  `Feed` keeps one `Listing` per SKU, scores it by `Risk`, queues it  →
    `Pace` and `Breaker` say when the next call may be  →  the most harmful updates ride in it

Time inside is whole microseconds since 1970 (`instants`), so that no limit is broken by a rounding.
"""
