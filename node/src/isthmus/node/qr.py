"""A QR code in the terminal: two rows of modules a line, light modules drawn, so that it scans on a dark ground."""

import segno

QUIET_ZONE = 4
"""Light modules around a code, without which a scanner does not find it (ISO/IEC 18004)."""

_BLOCKS = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}
"""(is the upper module dark, is the lower one) -> a character that draws the light ones."""


def qr_lines(text: str) -> list[str]:
    """Give the text as a QR code of error level M, lines of block characters."""
    code = segno.make_qr(text, error="m")
    rows = [[bool(module) for module in row] for row in code.matrix_iter(border=QUIET_ZONE)]
    rows += [[False] * len(rows[0])] * (len(rows) % 2)
    return [
        "".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
