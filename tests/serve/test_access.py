"""Who may come in."""

from pathlib import Path

import pytest

from spotui.domain.errors import SpotuiError
from spotui.serve.access import SHORTEST_TOKEN, Access, given_token, is_loopback, new_token


def test_tokens_differ_and_are_long() -> None:
    tokens = {new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert min(map(len, tokens)) >= 43


def test_token_and_cookie_are_known_and_one_is_not_the_other() -> None:
    access = Access("the-right-token-it-is", "127.0.0.1", 8000)
    assert access.knows_token("the-right-token-it-is")
    assert access.knows_cookie(access.cookie)
    assert "the-right-token-it-is" not in access.cookie
    for wrong in ("", "the-right-token-it-i", "the-right-token-it-is ", "ä\udcff", access.cookie):
        assert not access.knows_token(wrong)
    for wrong in ("", "the-right-token-it-is", access.cookie[:-1]):
        assert not access.knows_cookie(wrong)
    assert Access("another-token-of-16", "127.0.0.1", 8000).cookie != access.cookie


@pytest.mark.parametrize(
    ("host", "public", "served", "refused"),
    [
        (
            "127.0.0.1",
            "",
            ("127.0.0.1:8000", "localhost:8000", "LocalHost:8000", "[::1]:8000"),
            (
                "evil.example:8000",
                "127.0.0.1",
                "127.0.0.1:80",
                "10.0.0.5:8000",
                "",
                "localhost:8000.evil.example",
            ),
        ),
        (
            "0.0.0.0",  # noqa: S104 - nothing is bound
            "",
            ("10.0.0.5:8000", "[fe80::1]:8000"),
            ("evil.example:8000", "10.0.0.5:80", "10.0.0.5"),
        ),
        ("127.0.0.1", "https://p.example.org/x", ("p.example.org",), ("example.org", "p.example.org:8000")),
    ],
)
def test_only_names_of_this_server_are_served(
    host: str, public: str, served: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    access = Access("x" * 20, host, 8000, public)
    assert [one for one in served if not access.serves(one)] == []
    assert [one for one in refused if access.serves(one)] == []
    assert access.is_secure == public.startswith("https")


def test_a_page_is_our_own_when_it_came_from_the_host_that_is_asked() -> None:
    access = Access("x" * 20, "127.0.0.1", 8000)
    assert access.is_own_page("http://127.0.0.1:8000", "127.0.0.1:8000")
    for origin in ("", "null", "http://127.0.0.1:8001", "http://evil.example", "file://127.0.0.1:8000"):
        assert not access.is_own_page(origin, "127.0.0.1:8000")
    assert not access.is_own_page("http://", "")


def test_a_token_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("  the-token-in-the-file\n")
    assert given_token(None, {}) == ""
    assert given_token(file, {"SPOTUI_SERVE_TOKEN": "the-one-of-the-environment"}) == "the-token-in-the-file"
    assert (
        given_token(None, {"SPOTUI_SERVE_TOKEN": "the-one-of-the-environment"})
        == "the-one-of-the-environment"
    )


@pytest.mark.parametrize(
    "token", [b"", b"short", b"x" * (SHORTEST_TOKEN - 1), b"with a space in the token", b"\xff" * 20]
)
def test_a_bad_token_is_refused_without_being_repeated(tmp_path: Path, token: bytes) -> None:
    file = tmp_path / "secret"
    file.write_bytes(token)
    with pytest.raises(SpotuiError) as refused:
        given_token(file, {})
    said = f"{refused.value.what} {refused.value.hint}"
    assert str(file) in said
    assert not token or repr(token)[2:-1] not in said
    with pytest.raises(SpotuiError, match="cannot be read"):
        given_token(tmp_path / "missing", {})


def test_loopback_is_what_only_this_machine_reaches() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "localhost")))
    assert not any(map(is_loopback, ("::", "192.168.1.4", "example.org")))
