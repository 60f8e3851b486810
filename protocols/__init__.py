"""What crosses a boundary: messages between actors, wire formats, and the ports of the venue.

Pure: nothing here waits or touches a socket or file. Commands are imperative (`PlaceBet`), facts
are past tense (`BetConfirmed`); all are frozen and hold plain values only.
"""
