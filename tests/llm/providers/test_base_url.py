"""A base URL as people write it, and never its secrets."""

from base64 import b64encode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from spotui.llm.protocol import BadRequestError
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
    sent = b64encode(f"{user}:{password}".encode()).decode()
    assert {secret.reveal() for secret in url.secrets} == {password, token, sent}


@example("", "[]@")
@given(st.text(max_size=40), st.text("abc:@/?#[] ", max_size=30))
def test_whatever_is_written_is_an_address_or_an_error_that_says_what_to_do(written: str, odd: str) -> None:
    for text in (written, odd, f"http://{written}", f"http://{odd}"):
        assert _mend(text) != ""


def _mend(written: str) -> str | None:
    """What to do about a base URL, or None when it is fine."""
    try:
        BaseUrl(written, "m")
    except BadRequestError as error:
        return error.hint
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


def test_a_login_is_taken_out_of_the_address_and_its_query_is_kept() -> None:
    url = BaseUrl("http://ann:secret@host/v1?deployment=9", "m")
    assert str(url.at("/models")) == "http://host/v1/models?deployment=9"
    assert url.authorization == "Basic YW5uOnNlY3JldA=="
    assert BaseUrl("http://host/v1", "m").authorization is None


def test_a_login_may_hold_any_character() -> None:
    url = BaseUrl("http://ann%3A:p%C3%A4ss%E2%82%AC@host/v1", "m")
    assert url.authorization == "Basic " + b64encode("ann::päss€".encode()).decode()


@pytest.mark.parametrize("host", ["a..b", ".a", f"{'a' * 64}.example", "."])
def test_a_host_that_can_be_no_name_is_refused_at_once(host: str) -> None:
    with pytest.raises(BadRequestError, match="cannot be read"):
        BaseUrl(f"http://{host}/v1", "m")


@pytest.mark.parametrize(
    ("named", "proxy"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("https://ann:secret@proxy.example", "https://ann:secret@proxy.example"),
        ("socks5://proxy.example:1080", None),
        ("http://ann:p€@proxy.example", None),
        ("http://proxy.example:port", None),
        ("http://", None),
    ],
)
def test_only_what_can_be_a_proxy_is_one(
    monkeypatch: pytest.MonkeyPatch, named: str, proxy: str | None
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", named)
    url = BaseUrl("http://models.example/v1", "m")
    if proxy is None:
        with pytest.raises(ValueError):  # noqa: PT011 - it is told in other words
            url.proxy()
    else:
        assert str(url.proxy()) == str(URL(proxy))


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


@pytest.mark.parametrize("pasted", ["chat/completions", "chat/completions/", "completions", "responses"])
def test_the_path_of_an_endpoint_that_was_pasted_is_taken_off(pasted: str) -> None:
    url = BaseUrl(f"http://localhost/v1/{pasted}?api-version=2", "m")
    assert str(url.at("/chat/completions")) == "http://localhost/v1/chat/completions?api-version=2"
