"""Deterministic simulation of the whole venue: one seed, one run, whatever machine it runs on.

The real actors, wiring, settings, Gateway and SQLite code run. Only the outside is replaced by
twins, each of which can be made to fail: the network, the exchange, the wall clock, threads, the
key-value store, the object store, the disk, and the process itself, which crashes and is killed.

Where to read on: `run.py` (one run), `world.py` (what a run is made of), `scenario.py` (what
happens in it: faults and actions, drawn up front from the seed and kept as data), `oracle/` (the
rules and the money told once more, plainly, by code that imports nothing of the venue),
`campaign.py` (many seeds), `shrink.py` (a failing one made short).
"""
