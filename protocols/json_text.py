"""How deep JSON text may nest, asked before it is decoded.

Decoders recurse in C and stop at the interpreter's recursion limit, which any imported library may
raise (one of the Ethereum packages sets it to 100,000): then a frame of brackets ends the process.
"""


def opens_more_than(text: str | bytes, most: int) -> bool:
    """Are there more than `most` opening brackets and braces? Then it may nest that deep.

    Those inside strings count too, so `most` is generous; two scans cost far less than decoding.
    """
    if isinstance(text, str):
        return text.count("{") + text.count("[") > most
    return text.count(b"{") + text.count(b"[") > most
