"""Streams as servers really send them."""

import json
import re

import pytest

from spotui.domain.calls import Usage
from spotui.llm.protocol import (
    AuthenticationError,
    BadRequestError,
    ContextOverflowError,
    Delta,
    MalformedReplyError,
    ModelError,
    OversizedReplyError,
    RateLimitedError,
    RequestRefusedError,
    TimedOutError,
    UnavailableError,
)
from spotui.llm.providers import openai_compatible as reply_reader
from tests.llm.providers.asking import SAID, a_request, ask
from tests.model_server import Scripted, faults

STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"


def says(text: object, **choice: object) -> bytes:
    """A chunk with this content."""
    chunk = {"choices": [{"index": 0, "delta": {"content": text}, **choice}]}
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param((says("four"), STOP, DONE), id="as OpenAI"),
        pytest.param((says("four"), STOP), id="no DONE"),
        pytest.param((says("four"), DONE), id="DONE and no finish reason"),
        pytest.param((says("four", finish_reason="stop"), DONE), id="finish reason in the last piece"),
        pytest.param((says("four").replace(b"\n", b"\r\n"), STOP.replace(b"\n", b"\r\n")), id="CRLF"),
        pytest.param((says("four").replace(b"\n", b"\r"), STOP.replace(b"\n", b"\r")), id="CR"),
        pytest.param((says("four").replace(b"data: ", b"data:"), STOP), id="no space after the colon"),
        pytest.param((b": waiting\n\n", b":\n\n", says("four"), b": still\n", STOP), id="comments"),
        pytest.param((b"data:\n\n", b"data: \n\n", says("four"), STOP), id="empty data"),
        pytest.param((b"event: message\nid: 7\nretry: 10\n" + says("four"), STOP), id="other fields"),
        pytest.param((b'event: ping\ndata: {"type": "ping"}\n\n', says("four"), STOP), id="pings"),
        pytest.param((b"\xef\xbb\xbf" + says("four"), STOP), id="byte order mark"),
        pytest.param((says("fo") + says("ur") + STOP + DONE,), id="all in one piece"),
        pytest.param(tuple(bytes([byte]) for byte in says("four") + STOP), id="byte by byte"),
        pytest.param((says(""), says(None), says("four"), says(None), STOP), id="empty and null content"),
        pytest.param((b'data: {"choices":[]}\n\n', says("four"), STOP), id="no choices"),
        pytest.param((b'data: {"choices":null,"error":null}\n\n', says("four"), STOP), id="null choices"),
        pytest.param(
            (b'data: {"choices":[{"index":1,"delta":{"content":"five"}}]}\n\n', says("four"), STOP),
            id="a second choice",
        ),
        pytest.param(
            (says([{"type": "text", "text": "fo"}, {"type": "text", "text": "ur"}]), STOP), id="parts"
        ),
        pytest.param((says("four").replace(b'"delta"', b'"message"'), STOP), id="message in place of delta"),
        pytest.param((says("four"), DONE, says("five")), id="anything after DONE"),
        pytest.param(
            (b'data: {"choices":\ndata: [{"delta":{"content":"four"}}]}\n\n', STOP), id="two data lines"
        ),
        pytest.param((says("fo")[:-1], says("ur")[:-1], STOP[:-1]), id="one newline"),
        pytest.param((says("fo"), says("ur", finish_reason="stop").rstrip()), id="no newline at the end"),
        pytest.param((says("four"), DONE.rstrip()), id="no newline behind DONE"),
        pytest.param((says("four")[6:], STOP[6:]), id="no data fields"),
        pytest.param((b"data: [HEARTBEAT]\n\n", says("four"), b"data: ping\n\n", STOP), id="heartbeats"),
        pytest.param((b"data: 1\n\ndata: null\n\n", says("four"), STOP), id="JSON that is no object"),
        pytest.param((b"data: [" + says("four")[6:].strip() + b"]\n\n", STOP), id="chunks in a list"),
        pytest.param((says("four", finish_reason="null"), STOP), id="null as text"),
        pytest.param(
            tuple(one.replace(b"data: ", b" Data : ") for one in (says("four"), STOP)), id="another spelling"
        ),
        pytest.param((says("four").replace(b"data: ", b"data: data: "), DONE), id="a field twice"),
        pytest.param((says("fo")[:-2] + says("ur")[6:], DONE), id="two objects in one line"),
        pytest.param(((says("fo") + says("ur") + DONE).replace(b"\n", b""),), id="no line ends at all"),
        pytest.param((b"\x1e" + says("four")[6:], b"\x1e" + STOP[6:]), id="a JSON text sequence"),
        pytest.param((says("four"), b"event: done\ndata: {}\n\n"), id="an event for the end"),
        pytest.param((says("four"), b'data: "[done]"\n\n'), id="DONE in JSON"),
        pytest.param((b'data: {"code":0,"message":"ok"}\n\n', says("four"), STOP), id="an outcome"),
        pytest.param((b'data: {"code":10000,"msg":"Success."}\n\n', says("four"), STOP), id="its number"),
        pytest.param((b'data: {"status":"queued","message":"wait"}\n\n', says("four"), STOP), id="a status"),
        pytest.param(
            (b'data: {"error":{"code":0,"message":"success"}}\n\n', says("four"), STOP), id="no error"
        ),
        pytest.param(
            (says("four", error={"code": 0, "type": "none"}, finish_reason="stop"), DONE),
            id="no error inside",
        ),
        pytest.param(
            (b'data: {"code":200,"data":{"choices":[{"message":{"content":"four"}}]}}\n\n', DONE),
            id="in an envelope",
        ),
    ],
)
def test_streams_that_say_four(pieces: tuple[bytes, ...]) -> None:
    reply = ask(faults.events(*pieces))
    assert reply.text == "four"
    assert reply.usage == Usage(5, 1, estimated=True)


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0c", "\x0b", "\x1c", "\x1e", "\ufeff"])
def test_line_separators_of_other_alphabets_do_not_cut_a_line(character: str) -> None:
    text = f"one{character}two"
    piece = f'data: {{"choices":[{{"delta":{{"content":"{text}"}}}}]}}\n\n'.encode()
    assert ask(faults.events(piece, STOP)).text == text


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "application/json"])
def test_an_event_stream_under_another_name(content_type: str) -> None:
    stream = says("fo") + says("ur") + STOP + DONE
    assert ask(faults.raw(200, stream, {"Content-Type": content_type})).text == "four"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/json; charset=utf-8", "text/html", "text/event-stream"]
)
def test_a_whole_body_under_any_name(content_type: str) -> None:
    body = {"choices": [{"message": {"content": [{"type": "text", "text": "four"}]}}]}
    assert ask(faults.raw(200, json.dumps(body).encode(), {"Content-Type": content_type})).text == "four"


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "application/json"])
def test_one_chunk_a_line(content_type: str) -> None:
    body = b"".join(one[6:].replace(b"\n\n", b"\n") for one in (says("fo"), says("ur"), STOP))
    assert ask(faults.raw(200, body, {"Content-Type": content_type})).text == "four"


def test_blanks_in_front_of_a_body_keep_its_connection_alive() -> None:
    body = json.dumps({"choices": [{"message": {"content": "four"}}]}).encode()
    assert ask(faults.raw(200, b"\n \n\n" + body)).text == "four"


def test_a_stream_whose_header_lies_about_its_alphabet() -> None:
    stream = says("четыре") + STOP
    reply = ask(faults.raw(200, stream, {"Content-Type": "text/event-stream; charset=iso-8859-1"}))
    assert reply.text == "четыре"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("stop", "stop"),
        ("STOP", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "content_filter"),
        ("tool_calls", "other"),
    ],
)
def test_finish_reasons(written: str, reason: str) -> None:
    assert ask(Scripted("four", finish_reason=written)).finish_reason == reason


def test_the_usage_is_the_last_that_is_reported() -> None:
    running = b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":%d}}\n\n'
    reply = ask(
        faults.events(running % 1, says("four"), STOP, running % 2, b'data: {"usage":null}\n\n', DONE)
    )
    assert reply.usage == Usage(9, 2)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_in_a_field_of_its_own(name: str) -> None:
    thought = b'data: {"choices":[{"delta":{"content":null,"%s":"2 + 2"}}]}\n\n' % name.encode()
    deltas: list[Delta] = []
    reply = ask(faults.events(thought, says("four"), STOP), deltas=deltas)
    assert (reply.text, reply.reasoning) == ("four", "2 + 2")
    assert deltas == [Delta(reasoning="2 + 2"), Delta("four")]


def test_reasoning_that_is_sent_under_both_names_is_taken_once() -> None:
    thought = b'data: {"choices":[{"delta":{"reasoning":"2 + 2","reasoning_content":"2 + 2"}}]}\n\n'
    assert ask(faults.events(thought, says("four"), STOP)).reasoning == "2 + 2"


def test_reasoning_as_parts_of_the_content() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "2 + 2"}]}
    reply = ask(faults.events(says([thought]), says([{"type": "text", "text": "four"}]), STOP))
    assert (reply.text, reply.reasoning) == ("four", "2 + 2")


def test_reasoning_between_tags_cut_anywhere() -> None:
    deltas: list[Delta] = []
    reply = ask(Scripted("<think>2 + 2</think>\n\nfour", chunks=20), deltas=deltas)
    assert (reply.text, reply.reasoning) == ("four", "2 + 2")
    assert "".join(delta.text for delta in deltas) == "four"
    assert "".join(delta.reasoning for delta in deltas) == "2 + 2"


@pytest.mark.parametrize("chunks", [1, 7, 200])
@pytest.mark.parametrize("stream", [True, False])
def test_reasoning_in_the_marks_of_another_family(stream: bool, chunks: int) -> None:
    text = "<|channel|>analysis<|message|>2 + 2<|end|><|start|>assistant<|channel|>final<|message|>four"
    reply = ask(Scripted(text, stream=stream, chunks=chunks))
    assert (reply.text, reply.reasoning) == ("four", "2 + 2")


def test_reasoning_that_the_length_limit_cut() -> None:
    reply = ask(Scripted("<think>two and", finish_reason="length"))
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("", "two and", "length")


def test_reasoning_whose_opening_tag_the_server_kept() -> None:
    reply = ask(Scripted("2 + 2\n</think>\n\nfour"))
    assert (reply.text, reply.reasoning) == ("four", "2 + 2")


def test_halves_of_characters() -> None:
    deltas: list[Delta] = []
    assert ask(faults.lone_surrogates(), deltas=deltas).text == "grin 😀 and half � end"
    for delta in deltas:
        delta.text.encode()
    assert ask(Scripted(pieces=("end \ud83d",))).text == "end �"
    assert ask(Scripted(pieces=("whole \ud83d\ude00 \ude00",), stream=False)).text == "whole 😀 �"


USAGE = b'"usage":{"prompt_tokens":9,"completion_tokens":%d}'


def test_a_finish_reason_in_each_piece_does_not_end_the_reply() -> None:
    pieces = [says(word, finish_reason="stop")[:-3] + b"," + USAGE % 1 + b"}\n\n" for word in ("fo", "ur")]
    reply = ask(Scripted(body=(*pieces, DONE), headers={"Content-Type": "text/event-stream"}, pause=0.15))
    assert reply.text == "four"


def test_usage_that_comes_late_counts() -> None:
    early, late = (b'data: {"choices":[],' + USAGE % count + b"}\n\n" for count in (1, 5000))
    pieces = (says("four"), early, STOP, late, DONE)
    reply = ask(Scripted(body=pieces, headers={"Content-Type": "text/event-stream"}, pause=0.15))
    assert reply.usage == Usage(9, 5000)


def test_usage_behind_the_text_ends_a_reply_that_gives_no_reason() -> None:
    assert ask(faults.events(says("four"), b'data: {"choices":[],' + USAGE % 1 + b"}\n\n")).text == "four"


def test_text_that_the_server_repeats_as_a_whole_message_is_taken_once() -> None:
    whole = b'data: {"choices":[{"message":{"content":"four"},"finish_reason":"stop"}]}\n\n'
    assert ask(faults.events(says("fo"), says("ur"), whole, DONE)).text == "four"


def test_a_cost_that_the_endpoint_reports() -> None:
    reported = {"prompt_tokens": 9, "completion_tokens": 1, "cost": 0.0123}
    assert ask(Scripted("four", usage=reported)).cost_usd == 0.0123
    assert ask(Scripted("four")).cost_usd is None


@pytest.mark.parametrize(
    "tokens", ["1" + "0" * 400, "1" + "0" * 5000, "-5", "1.5", '"many"', "true", "1e12", "[]"]
)
def test_counts_that_cannot_be_are_estimated(tokens: str) -> None:
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":%b,"completion_tokens":1}}\n\n' % tokens.encode()
    assert ask(faults.events(says("four"), STOP, usage, DONE)).usage == Usage(5, 1, estimated=True)


def test_null_and_empty_content_are_an_empty_text() -> None:
    for stream in (True, False):
        reply = ask(Scripted(null_content=True, stream=stream))
        assert (reply.text, reply.finish_reason) == ("", "stop")
        assert ask(Scripted("", stream=stream)).text == ""
    assert ask(faults.events(STOP)).first_token_seconds is None


@pytest.mark.parametrize("stream", [True, False])
def test_a_megabyte(stream: bool) -> None:
    text = "0123456789abcde\n" * 65_536
    assert ask(Scripted(text, stream=stream, chunks=300)).text == text


def test_a_megabyte_in_one_line() -> None:
    assert len(ask(Scripted("x" * 2**20, chunks=1)).text) == 2**20


def test_a_reply_cut_by_the_length_limit() -> None:
    reply = ask(faults.length_cut())
    assert reply.finish_reason == "length"
    assert SAID.startswith(reply.text)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (faults.truncated(), "broke off in the middle"),
        (faults.events(says("four")), "broke off in the middle"),
        (faults.raw(200, says("four"), {"Content-Type": "text/plain"}), "broke off in the middle"),
        (faults.events(), "without an answer"),
        (faults.events(DONE), "without an answer"),
        (faults.raw(200, b'{"choices": [], "usage": {"a": 1}}'), r"without an answer in it\."),
        (faults.raw(200, b'{"result": {"response": "four"}}'), "without an answer .*four"),
        (faults.events(says("four"), b"data: upstream gone\n\n"), "broke off in .* reply: upstream gone"),
        (
            faults.events(says("four"), b'data: {"choices":[{"delta":{},"finish_reason":"abort"}]}\n\n'),
            "gave up",
        ),
        (faults.events(b"data: {cut\n\n"), r"other than a chat completion: '\{cut'"),
        (faults.events(b"data: 42\n\n"), "other than a chat completion: '42'"),
        (faults.events(b"data: " + b"[" * 100_000 + b"\n\n"), "other than a chat completion"),
        (faults.html(), "web page"),
        (faults.raw(200, b""), "answered with nothing"),
        (faults.raw(204, b""), "answered with nothing"),
        (faults.raw(200, b"It works!"), "other than a chat completion: 'It works!'"),
        (faults.raw(200, b'{"choices": [{"message"'), "other than a chat completion"),
        (faults.raw(200, b"not gzip", {"Content-Encoding": "gzip"}), "cannot be decompressed"),
    ],
)
def test_what_is_no_reply(fault: faults.Fault, words: str) -> None:
    with pytest.raises(MalformedReplyError, match=words) as caught:
        ask(fault)
    assert caught.value.hint


def test_a_stream_that_breaks_after_its_finish_reason_is_whole() -> None:
    for ending in ("close", "reset", "hang"):
        scripted = Scripted(
            body=(says("four"), STOP, DONE),
            headers={"Content-Type": "text/event-stream"},
            ending=ending,
            frames=4,
            pause=0.01,
        )
        reply = ask(scripted)
        assert reply.text == "four"
        assert reply.seconds < 1.0


def test_usage_that_never_comes_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reply_reader, "_ENDING_GRACE", 0.05)
    scripted = Scripted(
        body=(says("four"), STOP), headers={"Content-Type": "text/event-stream"}, ending="hang", frames=3
    )
    assert ask(scripted, timeout=5.0).usage.estimated


def test_silence_in_the_middle_is_a_time_out() -> None:
    deltas: list[Delta] = []
    with pytest.raises(TimedOutError, match=r"sent nothing for 0\.2 seconds"):
        ask(Scripted("word " * 9, chunks=9, ending="hang", frames=4, pause=0.01), timeout=0.2, deltas=deltas)
    assert len(deltas) == 3


def test_a_reset_in_the_middle() -> None:
    with pytest.raises(UnavailableError, match="the connection was reset"):
        ask(faults.reset(frames=2))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "boom"}, UnavailableError),
        ({"message": "boom", "code": 502}, UnavailableError),
        ({"message": "boom", "code": "429"}, RateLimitedError),
        ({"message": "boom", "type": "rate_limit_exceeded"}, RateLimitedError),
        ({"message": "boom", "type": "invalid_request_error"}, RequestRefusedError),
        ({"message": "boom", "code": 400, "type": "exceed_context_size_error"}, ContextOverflowError),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_an_error_in_place_of_the_rest(error: dict[str, object], kind: type[Exception], stream: bool) -> None:
    with pytest.raises(kind, match="boom") as caught:
        ask(Scripted("half an answer", error=error, stream=stream))
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    "piece",
    [
        b'event: error\ndata: {"message": "boom", "type": "overloaded"}\n\n',
        b'data: {"object": "error", "message": "boom", "code": 500}\n\n',
        b'data: {"error": "boom"}\n\n',
        b'error: {"code":500,"message":"boom","type":"server_error"}\n\n',
        b'error: {"error":{"message":"boom"}}\n',
        b"error: boom\n\n",
        b"event: error\ndata: boom\n\n",
        b'{"error": {"message": "boom"}}',
        b'data: {"choices":[{"finish_reason":"error","error":{"code":502,"message":"boom"}}]}\n\n',
        b'data: {"choices":[{"error":"boom"}]}\n\n',
        b'data: {"type":"error","error":{"type":"overloaded_error","message":"boom"}}\n\n',
        b'data: {"choices":[],"base_resp":{"status_code":1000,"status_msg":"boom"}}\n\n',
    ],
)
def test_errors_in_other_shapes(piece: bytes) -> None:
    with pytest.raises(UnavailableError, match="boom"):
        ask(faults.events(says("half"), piece), a_request())


@pytest.mark.parametrize("end", [None, 60])
def test_a_body_that_breaks_off_behind_its_end_is_whole(end: int | None) -> None:
    body = json.dumps({"choices": [{"message": {"content": "four"}, "finish_reason": "stop"}]}).encode()
    broken = Scripted(body=(body[:end], b"\n"), ending="close", frames=2)
    if end is None:
        assert ask(broken).text == "four"
    else:
        with pytest.raises(MalformedReplyError, match="broke off in the middle"):
            ask(broken)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "x", "choices": None, "base_resp": {"status_code": 1000, "status_msg": "boom"}},
        {"code": 11200, "message": "boom", "sid": "x"},
        {"error_code": 336000, "error_msg": "boom"},
        {"success": False, "code": 500, "msg": "boom", "data": None},
        {"success": False, "errors": [{"code": 7003, "message": "boom"}], "result": None},
        {"detail": "boom"},
        {"detail": [{"loc": ["body", "model"], "msg": "boom"}]},
        {"status": "error", "message": "boom"},
        {"header": {"code": 10013, "message": "boom"}},
        {"errcode": 1, "errmsg": "boom"},
        {"statusCode": 500, "message": "boom"},
        {"message": "boom"},
        {"error": "boom", "choices": []},
        {"choices": [{"index": 0, "error": {"message": "boom"}}]},
        [{"error": {"message": "boom"}}],
        {"detail": {"error": {"message": "boom"}}},
        {"Error": {"Message": "boom", "Code": "x"}},
        {"errors": {"model": ["boom"]}},
        {"err": "boom"},
        {"fault": {"faultstring": "boom"}},
        {"Response": {"Error": {"Code": "x", "Message": "boom"}, "RequestId": "r"}},
        {"status": 500, "error": "Internal Server Error", "message": "boom", "path": "/v1"},
        {"status": "FAILED", "failure_reason": "boom"},
        {"code": 500, "data": {"error": "boom"}},
        {"statusCode": 429, "body": '{"error": {"msg": "boom"}}'},
        {"choices": [{"message": {"content": "", "error": "boom"}}]},
        {"error": {"error": {"message": "boom"}}},
        {"error": [{"reason": "boom"}]},
        {"error": {"message": {"text": "boom"}}},
        {"error": "invalid_request", "error_description": "boom"},
        {"ok": False, "description": "boom"},
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
def test_errors_in_a_success_are_quoted(body: object, content_type: str) -> None:
    with pytest.raises(ModelError, match="boom"):
        ask(faults.raw(200, json.dumps(body).encode(), {"Content-Type": content_type}))


@pytest.mark.parametrize(
    "body",
    [
        b'{"choices": [{"message": {"content": "%b"}}]}' % (b"x" * 5 * 2**20),
        b"data: " + b"x" * 5 * 2**20,
        says("x" * 1000) * 5000,
        (b"data: " + b"x" * 1000 + b"\n") * 5000,
    ],
    ids=["a body", "a line", "a text", "an event"],
)
def test_a_reply_that_is_too_long_is_not_read_to_its_end(body: bytes) -> None:
    with pytest.raises(OversizedReplyError, match="more than 4 MiB"):
        ask(faults.events(body))


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, br", "x-custom"])
def test_compression_that_was_not_asked_for_is_named(coding: str) -> None:
    with pytest.raises(BadRequestError, match=r"compresses its reply with .* not asked for") as caught:
        ask(faults.raw(200, b"\x0b\x02\x80hello\x03", {"Content-Encoding": coding}))
    assert "Turn compression off" in caught.value.hint


@pytest.mark.parametrize(
    "words",
    [
        "AppIdNoAuthError:tokens.total",
        "Invalid API key provided",
        "token expired",
        "the access token is invalid",
        "api_key missing",
        "APIKey 鉴权失败",
    ],
)
def test_a_success_that_speaks_of_the_key_is_about_the_key(words: str) -> None:
    with pytest.raises(AuthenticationError, match=re.escape(words)):
        ask(faults.raw(200, json.dumps({"code": 11200, "message": words}).encode()), key="sk-any")
