"""The people of a run: traders with wallets of their own, and an operator.

They know nothing of the venue but what its API tells them, as outsiders do, and each trader keeps
his own books of it. `crowd.py` is the whole crowd; `trader.py` is one trader with his socket and
his sessions; `tapping.py` and `errands.py` are what he does; `books.py` is what he was told and
what must follow from it; `reckoning.py` asks for the rest when all is calm and compares.
"""
