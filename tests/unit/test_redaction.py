from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.api.redaction import SHORTEST, Redactor

SECRET = 'dt0c01.ABC.s/e+c&r=e"t\\ü'


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        repr(SECRET),
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
    ],
)
def test_a_secret_is_hidden_in_every_form(form: str) -> None:
    shown = Redactor([SECRET])(f"before {form} after")

    assert "[secret]" in shown
    assert form not in shown
    assert shown.startswith("before ")
    assert shown.endswith(" after")


def test_text_without_secrets_stays_as_it_is() -> None:
    assert Redactor([SECRET, ""])("nothing to see, dt0c01 neither") == "nothing to see, dt0c01 neither"


def test_of_two_secrets_the_longer_is_hidden_whole() -> None:
    assert Redactor(["abcd", "abcdefgh"])("abcdefgh") == "[secret]"


def test_a_secret_that_is_learned_later_is_hidden_too() -> None:
    redact = Redactor()
    redact.add("bearer-token")

    assert redact("Bearer bearer-token") == "Bearer [secret]"


@given(st.text(min_size=SHORTEST), st.text(), st.text())
def test_no_secret_survives_wherever_it_is(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor([secret])(before + secret + after).replace("[secret]", "\0")
