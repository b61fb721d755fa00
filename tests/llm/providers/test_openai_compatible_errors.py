"""What goes wrong is named, with what to do about it, and never with the key."""

import json
import shutil
import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from spotui.llm.protocol import (
    AuthenticationError,
    BadRequestError,
    ContextOverflowError,
    ModelError,
    RateLimitedError,
    RequestRefusedError,
    RetryableError,
    TimedOutError,
    UnavailableError,
)
from tests.llm.providers.asking import KEY, a_request, an_endpoint, ask, ask_endpoint
from tests.model_server import ModelServer, faults


@pytest.mark.parametrize(
    ("fault", "kind", "hint"),
    [
        (faults.status(400), RequestRefusedError, "settings or the template"),
        (faults.status(401), AuthenticationError, "Check the key for http://127"),
        (faults.status(403), AuthenticationError, "may use this model"),
        (faults.status(402), BadRequestError, "Top it up"),
        (faults.status(404), BadRequestError, "Check the model id and the base URL"),
        (faults.status(405), BadRequestError, "Check the model id and the base URL"),
        (faults.status(408), UnavailableError, "Try again later"),
        (faults.status(409), UnavailableError, "Try again later"),
        (faults.status(413), ContextOverflowError, "Shorten"),
        (faults.status(422), RequestRefusedError, "settings or the template"),
        (faults.status(425), UnavailableError, "Try again later"),
        (faults.status(429), RateLimitedError, "requests per minute"),
        (faults.status(429, code="insufficient_quota"), BadRequestError, "Top it up"),
        (faults.status(429, type="insufficient_quota"), BadRequestError, "Top it up"),
        (faults.status(403, code="insufficient_user_quota"), BadRequestError, "Top it up"),
        (faults.status(500), UnavailableError, "Try again later"),
        (faults.status(502), UnavailableError, "Try again later"),
        (faults.status(503), UnavailableError, "Try again later"),
        (faults.html(504), UnavailableError, "Try again later"),
    ],
)
def test_every_status_has_its_kind(fault: faults.Fault, kind: type[ModelError], hint: str) -> None:
    with pytest.raises(kind) as caught:
        ask(fault, key=KEY)
    assert type(caught.value) is kind
    assert "test-model at http://127.0.0.1:" in caught.value.what
    assert hint in caught.value.hint


def test_a_missing_key_is_told_from_a_wrong_one() -> None:
    with ModelServer(api_key=KEY) as server:
        with pytest.raises(AuthenticationError, match="asks for a key, and none is set"):
            ask_endpoint(an_endpoint(server.base_url))
        with pytest.raises(AuthenticationError, match="does not accept the key"):
            ask_endpoint(an_endpoint(server.base_url, key="another"))
        assert ask_endpoint(an_endpoint(server.base_url, key=KEY)).text


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (400, "too long", {"code": "context_length_exceeded"}),
        (400, "This model's maximum context length is 8192 tokens, your messages resulted in 9001.", {}),
        (400, "The decoder prompt (length 9001) is longer than the maximum model length of 8192.", {}),
        (
            400,
            "request (9001 tokens) exceeds the available context size (8192)",
            {"type": "exceed_context_size_error"},
        ),
        (500, "the request exceeds the available context size. try increasing the context size", {}),
        (400, "input length exceeds the context length", {}),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", {}),
        (400, "The input token count (9001) exceeds the maximum number of tokens allowed (8192).", {}),
        (422, "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4090 + 20", {}),
        (400, "Please reduce the length of the messages or completion.", {}),
        (400, "Your input exceeds the context window of this model.", {}),
    ],
)
def test_requests_longer_than_the_context(status: int, message: str, error: dict[str, Any]) -> None:
    with pytest.raises(ContextOverflowError):
        ask(faults.status(status, message, **error))


@pytest.mark.parametrize(
    ("requested", "kind"), [("12000", ContextOverflowError), ("3,000", RateLimitedError)]
)
def test_a_request_beyond_the_tokens_of_a_minute_is_too_long(requested: str, kind: type[ModelError]) -> None:
    words = f"Request too large on tokens per min (TPM): Limit 10,000, Used 9,000, Requested {requested}"
    with pytest.raises(kind):
        ask(faults.status(429, words))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "0"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "inf"}, None),
        ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5),
        ({}, None),
    ],
)
def test_how_long_a_rate_limit_lasts(headers: dict[str, str], seconds: float | None) -> None:
    with pytest.raises(RateLimitedError) as caught:
        ask(faults.status(429, headers=headers))
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("code", "kind"), [(429, RateLimitedError), (503, UnavailableError), (500, UnavailableError)]
)
def test_waits_that_end_at_a_date(code: int, kind: type[RetryableError]) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    with pytest.raises(kind) as caught:
        ask(faults.status(code, headers={"Retry-After": until}))
    assert caught.value.retry_after == pytest.approx(30, abs=3)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "no such thing"}}', ": no such thing"),
        (b'{"error": "no such thing"}', ": no such thing"),
        (b'{"message": "no such thing"}', ": no such thing"),
        (b'{"object": "error", "message": "no such thing"}', ": no such thing"),
        (b'{"detail": "no such thing"}', ": no such thing"),
        (
            b'{"detail": [{"loc": ["body", "messages", 0], "msg": "no such thing"}]}',
            ": messages.0: no such thing",
        ),
        (b'[{"error": {"message": "no such thing"}}]', ": no such thing"),
        (
            b'{"error": {"message": "failed", "metadata": {"raw": "no such thing"}}}',
            ": failed: no such thing",
        ),
        (b'{"why": "no such thing"}', ': {"why": "no such thing"}'),
        (b"no\r\n such\tthing\x00", ": no such thing"),
        (b"<html><head><title>no such thing</title></head><body>x</body></html>", ": no such thing"),
        (b"<p>no such <b>thing</b></p><style>p {}</style>", ": no such thing"),
        (b"\xff\xfe", ": ��"),
        (b"[]", ""),
        (b"", ""),
    ],
)
def test_the_server_s_own_words(body: bytes, words: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        ask(faults.raw(400, body))
    assert caught.value.what.endswith(f" refuses the request (HTTP 400){words}.")


def test_long_words_are_cut_and_stay_on_one_line() -> None:
    with pytest.raises(BadRequestError) as caught:
        ask(faults.status(400, "line\n" * 1000))
    assert len(caught.value.what) < 420
    assert "\n" not in caught.value.what
    assert caught.value.what.endswith("…")


def test_a_response_that_never_ends_is_not_read_for_ever() -> None:
    with pytest.raises(UnavailableError):
        ask(faults.raw(500, (b"x" * 10_000,) * 200))


@pytest.mark.parametrize("padding", ["", "x" * (300 - len(KEY) // 2 - 10)])
def test_a_key_that_the_server_echoes_is_masked(padding: str) -> None:
    with pytest.raises(AuthenticationError) as caught:
        ask(faults.status(401, f"{padding} Bad key {KEY} given"), key=KEY)
    assert "[key" in str(caught.value)
    assert not any(KEY[:length] in str(caught.value) for length in range(6, len(KEY)))


def test_secrets_of_the_base_url_are_masked() -> None:
    fault = faults.status(400, "hunter22 is no password, and token=0123456789 no token")
    with ModelServer(faults={1: fault}) as server:
        url = server.base_url.replace("//", "//ann:hunter22@") + "?token=0123456789"
        with pytest.raises(BadRequestError) as caught:
            ask_endpoint(an_endpoint(url))
    assert server.base_url in str(caught.value)
    for secret in ("hunter22", "0123456789", "ann"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize("key", ["sk-schlüssel", "sk\nkey", "sk-\x00"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(AuthenticationError, match="Copy it again") as caught:
        ask("unasked", key=key)
    assert key not in str(caught.value)


def test_a_redirect_is_not_followed() -> None:
    headers = {"Location": "https://other.example/v1/chat/completions?token=1"}
    with pytest.raises(
        BadRequestError, match=r"has moved \(HTTP 308\): https://other.example/v1\. Put"
    ) as caught:
        ask(faults.raw(308, b"", headers), key=KEY)
    assert "token" not in str(caught.value)
    with pytest.raises(BadRequestError, match=r"has moved \(HTTP 304\)"):
        ask(faults.raw(304, b""))


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError, match="the connection was refused") as caught:
        ask_endpoint(an_endpoint(f"http://127.0.0.1:{port}/v1"))
    assert "Start the server" in caught.value.hint


def test_nobody_listens_at_any_address_of_a_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError, match="the connection was refused"):
        ask_endpoint(an_endpoint(f"http://localhost:{port}/v1"))


def test_a_host_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(UnavailableError, match="its host name is unknown"):
        ask_endpoint(an_endpoint("http://model.example/v1"))


def test_a_network_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(UnavailableError, match="there is no route to it"):
        ask_endpoint(an_endpoint("http://255.255.255.255/v1"))


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (faults.reset(), UnavailableError, "the connection was reset"),
        (faults.truncated(frames=0), UnavailableError, "closed the connection without an answer"),
        (faults.hang(), TimedOutError, r"sent nothing for 0\.2 seconds"),
        (faults.hang(frames=1), TimedOutError, r"sent nothing for 0\.2 seconds"),
    ],
)
def test_connections_that_fail(fault: faults.Fault, kind: type[ModelError], words: str) -> None:
    with pytest.raises(kind, match=words):
        ask(fault, timeout=0.2)


def test_a_server_that_accepts_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(TimedOutError):
        ask_endpoint(an_endpoint(f"http://127.0.0.1:{server.getsockname()[1]}/v1", timeout=0.2))


def serve_once(
    listener: socket.socket, answer: bytes, context: ssl.SSLContext | None = None
) -> threading.Thread:
    """Answer the first connection with these bytes, whatever it asks."""

    def run() -> None:
        connection, _ = listener.accept()
        try:
            with context.wrap_socket(connection, server_side=True) if context else connection as stream:
                stream.recv(65_536)
                stream.sendall(answer)
                # Hanging up on bytes that were not read would reset the connection.
                while stream.recv(65_536):
                    pass
        except OSError:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_server_that_speaks_something_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = serve_once(listener, b"220 mail.example ESMTP\r\n\r\n")
        with pytest.raises(ModelError, match="does not answer in HTTP"):
            ask_endpoint(an_endpoint(f"http://127.0.0.1:{listener.getsockname()[1]}/v1"))
        thread.join()


def test_https_where_only_http_is_spoken() -> None:
    with (
        ModelServer() as server,
        pytest.raises(UnavailableError, match=r"no secure connection could be made.*http rather than https"),
    ):
        ask_endpoint(an_endpoint(server.base_url.replace("http:", "https:")))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"),
            *("-out", str(certificate), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    body = json.dumps({"choices": [{"message": {"content": "safe"}}]}).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = an_endpoint(f"https://localhost:{listener.getsockname()[1]}/v1")
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        thread = serve_once(listener, answer, context)
        with pytest.raises(UnavailableError, match=r"certificate is not trusted.*Set SSL_CERT_FILE"):
            ask_endpoint(endpoint)
        thread.join()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        thread = serve_once(listener, answer, context)
        assert ask_endpoint(endpoint).text == "safe"
        thread.join()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
        with pytest.raises(BadRequestError, match="trusted certificates cannot be read"):
            ask_endpoint(endpoint)


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        (None, "No base URL is set for test-model"),
        ("  ", "No base URL is set for test-model"),
        ("localhost:8000/v1", "no http or https address: 'localhost:8000/v1'"),
        ("ftp://host/v1", "no http or https address"),
        ("http:///v1", "no http or https address"),
        ("http://my host/v1", "holds a space: 'http://my host/v1'"),
        ("http://host:port/v1", "cannot be read"),
        ("http://host:65536/v1", "cannot be read"),
        ("http://[::1/v1", "cannot be read"),
        ("http://:80/v1", "cannot be read"),
        ("http://ann:hunter22@ho st/v1", "'http://ho st/v1'"),
        ("http://ann:hunter/22@host/v1?token=0123456789", "'http://host/v1'"),
    ],
)
def test_base_urls_that_make_no_sense(base_url: str | None, words: str) -> None:
    with pytest.raises(BadRequestError, match=words.replace("?", r"\?")) as caught:
        ask_endpoint(an_endpoint(base_url))
    assert caught.value.hint
    assert "hunter" not in str(caught.value)
    assert "0123456789" not in str(caught.value)


def test_errors_leave_the_provider_usable() -> None:
    plan = {1: faults.status(500), 2: faults.reset(), 3: faults.truncated(), 4: faults.html()}
    with ModelServer(faults=plan) as server:
        endpoint = an_endpoint(server.base_url)
        for _ in plan:
            with pytest.raises(ModelError):
                ask_endpoint(endpoint, a_request())
        assert ask_endpoint(endpoint).text
