"""Texts of libraries and servers lose every credential that they may hold."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.stores.secrets import struck

VALUE = "wJalr/XUt+nF=EMI"


@pytest.mark.parametrize("form", [VALUE, quote(VALUE, safe=""), quote(VALUE)])
@pytest.mark.parametrize(
    "name", ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "MY_PASSWORD", "AWS_ACCESS_KEY_ID"]
)
def test_values_of_secret_variables_are_struck_out(
    name: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, VALUE)
    text = struck(f"bad key '{form}' for {form}")
    assert text == "bad key '***' for ***"


def test_what_is_no_secret_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR_OF_CHOICE", VALUE)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "abc")  # so short that it would be in any text
    for text in ("the bucket abc is not there", f"{VALUE} failed", "a=b, c: d", "what? me@home"):
        assert struck(text) == text


@given(st.text("abcdefghijklmnop0123456789", min_size=8), st.sampled_from("'\" "))
def test_urls_lose_user_and_query(secret: str, end: str) -> None:
    text = struck(f"get https://me:{secret}@host:8/a/b.png?X-Amz-Signature={secret}&b=1{end}failed")
    assert secret not in text
    assert "https://host:8/a/b.png" in text
    assert text.endswith("failed")


def test_an_at_sign_in_a_password_shows_none_of_it() -> None:
    assert struck("get https://me:pass@word@host/a@b.png") == "get https://host/a@b.png"


def test_signatures_without_a_url_are_struck_out() -> None:
    text = struck("canonical: X-Amz-Signature=abcdef12&x Authorization: AWS4-HMAC")
    assert "abcdef12" not in text
    assert "AWS4-HMAC" not in text
