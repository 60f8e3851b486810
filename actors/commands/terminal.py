"""Text of others on a terminal. Pure."""


def printable(text: str) -> str:
    """In one line, without control characters and the like: a text must not steer the terminal,
    nor turn the writing round."""
    return "".join(char if char.isprintable() else " " for char in text)
