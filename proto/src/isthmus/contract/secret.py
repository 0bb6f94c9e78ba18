"""A secret value that does not show itself."""

import hmac
from typing import NoReturn


class Secret:
    """Secret bytes. `repr` hides them, equality and pickling are refused; `reveal` is the one way to the bytes."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        """Keep the bytes."""
        self._value = value

    def reveal(self) -> bytes:
        """Give the bytes, for the one function that computes with them."""
        return self._value

    def equals(self, other: "Secret") -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self._value, other.reveal())

    def __repr__(self) -> str:
        """Give a text that holds nothing of the value."""
        return "Secret(...)"

    def __eq__(self, other: object) -> NoReturn:
        """Refuse: `==` is not constant-time."""
        msg = "compare secrets with Secret.equals"
        raise TypeError(msg)

    def __hash__(self) -> NoReturn:
        """Refuse: a secret is no dictionary key."""
        msg = "a secret cannot be hashed"
        raise TypeError(msg)

    def __reduce__(self) -> NoReturn:
        """Refuse: a pickled secret is a secret on disk."""
        msg = "a secret cannot be pickled"
        raise TypeError(msg)
