"""What `tapgrid` can do: one module per command. They are composition roots: they open real ports.

`actors/__main__.py` reads the command line and calls them with plain values; each returns an exit
code of `exits.py`. Results go to standard output, everything else to standard error.
"""
