"""What an operator can set: read once at start, checked as a whole, and frozen.

| module | what it holds |
|---|---|
| `settings` | every section and key with what it may be; `load` makes one from all layers |
| `rules` | the kinds of values: what each allows, and how text becomes one |
| `layers` | where values come from: TOML, environment, `--set`, flags |
| `feeds` | the spelling of price sources |
| `production` | what a venue with real money refuses to start with, by name |
| `report` | the settings in force as lines, with secrets masked |

Defaults stand in `default.toml` and nowhere else. Turning settings into the domain's own objects
is the wiring's business, so nothing here knows a grid or a ledger.
"""
