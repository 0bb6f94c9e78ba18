"""What a query may be: one plain SELECT, of which every database reads the same text in the same way.

This keeps an owner's slip from changing a table; it is no guard against an account with too many rights. The query is
the provider's own, and the account that runs it should be one that may only read.

Databases disagree on comments, backslashes, dollar quotes and on quotes inside brackets. A text that has them could
hold a second statement where another reader sees a comment or a string, so it is refused.
"""

import re
from typing import Final

from isthmus.node.sources.errors import QueryRefused

_TOKEN: Final = re.compile(
    r"""(?P<quoted>'(?:[^'\\]|'')*'|"(?:[^"\\]|"")*"|`[^`'"\\;]*`|\[[^\[\]`'"\\;]*\])"""
    r"|(?P<word>[^\W\d][\w$]*)"
    r"|(?P<unclear>--|/\*|\*/|[\\#$'\"`\[\]\0])"
    r"|(?P<end>;)"
    r"|(?P<other>[^;\\#$'\"`\[\]\0])",
    re.DOTALL,
)
_CHANGING_WORDS: Final = frozenset(
    {"insert", "update", "delete", "merge", "into", "drop", "alter", "create", "truncate", "grant", "revoke", "deny"}
    | {"exec", "execute", "shutdown", "backup", "restore", "kill", "dbcc", "reconfigure", "waitfor"}
    | {"openrowset", "openquery", "opendatasource"}
)
"""Words that have no place in a plain SELECT. SQL Server needs no semicolon between two statements."""


def plain_select(query: str) -> str:
    """The query without white space and a semicolon at its end.

    Raises:
        QueryRefused: it is not one SELECT (or WITH ... SELECT), has a word of a statement that changes something, or
            anything that databases read differently. A column of such a name may be quoted.
    """
    text = query.strip().removesuffix(";").rstrip()
    words: list[str] = []
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "end":
            raise QueryRefused(problem="it has more than one statement")
        if token.lastgroup == "unclear":
            raise QueryRefused(problem="it has a comment, or a quote that not every database reads in the same way")
        if token.lastgroup == "word":
            words.append(token.group().lower())
    _check_words(words)
    return text


def _check_words(words: list[str]) -> None:
    if not words or words[0] not in {"select", "with"} or "select" not in words:
        raise QueryRefused(problem="it is not a SELECT")
    changing = sorted(_CHANGING_WORDS.intersection(words))
    if changing:
        raise QueryRefused(problem=f"it has the word {changing[0]}")
