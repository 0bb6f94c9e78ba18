"""The enrolment token as text: it survives a mail programme, and anything cut or mistyped is refused."""

import base64

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from isthmus.contract.errors import IsthmusError, MalformedDocument
from isthmus.contract.ids import PartyId
from isthmus.party.token import EnrolmentToken, read_token, token_text

SECRET = bytes(range(32))
TOKEN = EnrolmentToken(
    party=PartyId("riverside"),
    enrolment_address="hub.example.org:7444",
    service_address="hub.example.org:7443",
    secret=base64.b64encode(SECRET).decode(),
    root="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
)
TEXT = token_text(TOKEN)


def _text(**changes: object) -> str:
    document = dict(msgspec.to_builtins(TOKEN)) | changes
    return "isthmus-token-1." + base64.urlsafe_b64encode(rfc8785.dumps(document)).decode()


def test_token_comes_back_from_its_text() -> None:
    assert read_token(TEXT) == TOKEN
    assert TOKEN.secret_bytes() == SECRET
    assert TEXT.isascii() and "\n" not in TEXT


def test_token_wrapped_by_a_mail_programme_is_read() -> None:
    wrapped = "\r\n".join(TEXT[start : start + 60] for start in range(0, len(TEXT), 60))

    assert read_token(f"  {wrapped}\n\n") == TOKEN


def test_repr_hides_the_secret() -> None:
    assert repr(TOKEN) == "EnrolmentToken(party='riverside')"


@given(st.integers(0, len(TEXT) - 1))
def test_token_that_was_cut_is_refused(length: int) -> None:
    with pytest.raises(MalformedDocument, match="enrolment token"):
        read_token(TEXT[:length])


@given(st.integers(0, len(TEXT) - 1), st.characters())
def test_token_with_a_mistyped_character_is_refused_or_another_and_never_a_fault(place: int, typed: str) -> None:
    try:
        token = read_token(TEXT[:place] + typed + TEXT[place + 1 :])
    except IsthmusError:
        return
    assert (token == TOKEN) is (typed == TEXT[place])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "isthmus-token-2." + TEXT.partition(".")[2],
        "isthmus-token-1.",
        "isthmus-token-1.é",
        "isthmus-token-1.e30=",
        _text(secret=base64.b64encode(SECRET[:-1]).decode()),
        _text(secret="ключ"),
        _text(secret="not base64!"),
        _text(root="сертификат"),
        _text(extra="x"),
        _text(party=1),
    ],
)
def test_token_that_is_none_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(MalformedDocument) as refused:
        read_token(text)

    assert len(text) < 20 or text[16:40] not in str(refused.value)
