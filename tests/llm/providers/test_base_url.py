"""A base URL as people write it, and never its secrets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.llm.errors import BadRequestError
from spotui.llm.providers.base_url import BaseUrl

WORDS = st.text("abcdefghijkmnop-0123456789", min_size=8, max_size=20)


@given(
    user=WORDS,
    password=WORDS,
    token=WORDS,
    path=st.sampled_from(["", "/", "/v1", "/v1/", "/a/b/chat/completions"]),
)
def test_what_is_shown_has_no_secret_in_it(user: str, password: str, token: str, path: str) -> None:
    url = BaseUrl(f"https://{user}:{password}@models.example:8443{path}?token={token}#part", "m")
    for secret in (user, password, token, "#"):
        assert secret not in url.shown
    assert url.shown.startswith("https://models.example:8443")
    assert {secret.reveal() for secret in url.secrets} == {password, token}


@given(st.text(max_size=40), st.text("abc:@/?#[] ", max_size=30))
def test_whatever_is_written_is_an_address_or_an_error_that_says_what_to_do(written: str, odd: str) -> None:
    for text in (written, odd, f"http://{written}", f"http://{odd}"):
        assert _mend(text) != ""


def _mend(written: str) -> str | None:
    """What to do about a base URL, or None when it is fine."""
    try:
        BaseUrl(written, "m")
    except BadRequestError as error:
        return error.mend
    return None


@pytest.mark.parametrize(
    ("url", "is_loopback", "is_tls"),
    [
        ("http://localhost:1/v1", True, False),
        ("http://api.localhost/v1", True, False),
        ("http://127.8.8.8/v1", True, False),
        ("http://[::1]:8000/v1", True, False),
        ("http://0.0.0.0:8000/v1", True, False),
        ("https://localhost.example/v1", False, True),
        ("http://10.0.0.7/v1", False, False),
    ],
)
def test_where_it_leads(url: str, is_loopback: bool, is_tls: bool) -> None:
    parsed = BaseUrl(url, "m")
    assert (parsed.is_loopback, parsed.is_tls) == (is_loopback, is_tls)


def test_a_login_goes_out_only_when_there_is_no_key() -> None:
    url = BaseUrl("http://ann:secret@host/v1?deployment=9", "m")
    assert str(url.at("/models", with_login=True)) == "http://ann:secret@host/v1/models?deployment=9"
    assert str(url.at("/models", with_login=False)) == "http://host/v1/models?deployment=9"


def test_a_proxy_is_on_the_way_unless_the_environment_exempts_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    assert BaseUrl("http://models.example/v1", "m").is_proxied()
    assert not BaseUrl("https://models.example/v1", "m").is_proxied()
    assert not BaseUrl("http://127.0.0.1/v1", "m").is_proxied()
    monkeypatch.setenv("no_proxy", "models.example")
    assert not BaseUrl("http://models.example/v1", "m").is_proxied()
