"""Secrets: the bytes come out in one way and in no other."""

import pickle
from copy import copy, deepcopy

import pytest

from isthmus.contract.secret import Secret

VALUE = b"not to be seen by anyone"


def test_reveal_gives_the_bytes() -> None:
    assert Secret(VALUE).reveal() == VALUE


def test_no_text_of_it_holds_the_bytes() -> None:
    secret = Secret(VALUE)

    assert {repr(secret), str(secret), f"{secret}", f"{[secret]}"} == {"Secret(...)", "[Secret(...)]"}


def test_secrets_are_compared_by_equals() -> None:
    assert Secret(VALUE).equals(Secret(bytes(VALUE)))
    assert not Secret(VALUE).equals(Secret(VALUE[:-1]))


def test_operators_and_copies_that_could_leak_are_refused() -> None:
    secret = Secret(VALUE)

    with pytest.raises(TypeError):
        _ = secret == Secret(VALUE)
    with pytest.raises(TypeError):
        _ = secret != VALUE
    for refused in (hash, pickle.dumps, copy, deepcopy, vars):
        with pytest.raises(TypeError):
            refused(secret)
