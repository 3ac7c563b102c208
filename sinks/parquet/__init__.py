"""Parquet snapshots: from the output streams to tables analysts can trust (DESIGN section 8).

    NDJSON blocks  →  records  →  what is news  →  staged files  →  renamed in  →  manifest  →  pointers
    (snapshots)      (records)   (fold)           (publish)        (local, objects)  (manifest)

The latest snapshot is the only state: the next one is that one with the changed keys replaced. So memory between
two snapshots holds the changes alone, and a restart needs nothing but the manifest and the streams.
"""
