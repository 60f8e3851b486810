"""The rules of the game and of money, as pure functions over plain values.

Nothing here waits, reads a clock, draws a random number or touches a file: whoever calls says what
time it is. A rule of tapgrid stands in exactly one module of this package:

| module | what it decides |
|---|---|
| `units` | the words for amounts and times, and how text becomes one |
| `refusals` | every error code, its HTTP status and whether trying again can help |
| `limits` | the bounds that are not settings, and how they relate |
| `grid` | cell <-> time and price; which columns may be tapped |
| `quotes` | published reward rates; which rate a bet is paid |
| `placement` | may this bet be placed, and why not, in order |
| `caps` | the most a bet, user, cell and column may pay |
| `resolution` | ticks + cell -> won, lost, void; when a column may be judged |
| `evidence` | what a verdict stores, its hash, and recomputing it |
| `verify` | what a settled bet claims, held against its evidence |
| `feed_health` | HEALTHY, DEGRADED, CRITICAL |
| `ticks` | which ticks enter the record |
| `failover` | which source is listened to |
| `simulated_market` | the made-up market of demo mode |
| `rates`, `volatility` | the reward of a cell |
| `quoting` | what a quote is made of, and when there may be one |
| `batching` | is a batch due |
| `backups` | what backups are called, when one is due, which are kept |
| `archiving` | what becomes of a closed week: its next step into the archive, when it may go |
| `attention` | which figures need an operator's eye |
| `signed_text`, `sign_in` | the texts that wallets sign |
| `wallet` | addresses and signatures as text |
| `token_bucket` | is one more request allowed |
| `rfc3339`, `rfc3986` | times and URIs in a sign-in text |
"""
