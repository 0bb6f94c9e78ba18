"""Text that others wrote and people will read: one line that can do nothing but be read.

A title, a name or an error's field that comes from another party could hold line breaks, terminal controls or
direction marks and so paint something onto a steward's screen that nobody said.
"""


def is_plain_line(text: str, longest: int) -> bool:
    """Say whether the text is one line of 1 to `longest` printable characters, not of spaces alone."""
    return 1 <= len(text) <= longest and text.isprintable() and bool(text.strip())


def made_plain(text: str) -> str:
    """Give the text with every character that is not printable replaced by U+FFFD."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
