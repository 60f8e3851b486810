"""Deterministic simulation of the whole venue: one seed, one run, whatever machine it runs on.

The real actors, wiring, settings, Gateway and SQLite code run. Only the outside is replaced by
twins, each of which can be made to fail: the network, the exchange, the wall clock, threads, the
key-value store, the object store, the disk, and the process itself, which crashes and is killed.

Where to read on: `story.py` (what goes on in a run, from top to bottom), `run.py` (one run),
`world.py` (what it is made of), `scenario.py` (what happens in it: faults and actions, drawn up
front from the seed by `drawing.py` and kept as data), `people/` (the traders and the operator, and
what they make of the venue's answers), `observers/` (who looks on, and holds each step against an
invariant), `oracle/` (the rules and the money told once more, plainly, by code that imports nothing
of the venue), `campaign.py` (many seeds), `shrink.py` (a failing one made short), `replay.py` (a
scenario in a file).
"""
