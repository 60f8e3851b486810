"""The rules of the game and of money, told once more from the specification, as plainly as can be.

Imports nothing of the venue: it reads the files with `sqlite3` and judges them by its own words.
"""
