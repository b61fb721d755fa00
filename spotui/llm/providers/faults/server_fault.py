"""What a server says went wrong, read from the many shapes in which servers say it."""

import json
import re
from collections.abc import Iterator, Mapping

import msgspec

from spotui.llm.providers.faults.retry_after import asked_wait

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_MARKUP = re.compile(r"<(style|script)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)

# Names under which servers put an outcome into a successful response: Baidu, Zhipu, MiniMax, Tencent, relays.
_CODE_NAMES = (
    *("code", "error_code", "errcode", "err_code", "errorCode", "ErrorCode"),
    *("status_code", "statusCode", "retcode", "ret", "status"),
)
_OK_CODES = frozenset({"", "0", "200", "20000", "ok", "success"})
_FAILED = frozenset({"error", "fail", "failed", "failure"})
_ERROR_WORDS = (
    *("error_msg", "errmsg", "err_msg", "errorMessage", "error_message", "ErrorMsg"),
    *("errors", "detail"),
)
OF_A_CHUNK = frozenset(
    {"id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint"}
)
"""Fields of an ordinary chunk: one that has no others can only hold an error in its choices."""

_OTHER_WORDS = ("message", "msg", "status_msg", "Message", "reason", "description", "title")


class ServerFault(msgspec.Struct, frozen=True):
    """A refusal or a failure in the server's own words.

    Attributes:
        status: The HTTP status, or 0 when it is not known.
        message: What the server says, free text.
        code: Its code and type, in lower case, such as `insufficient_quota`.
        param: The parameter it complains about, or empty.
        retry_after: Seconds it asks to wait, more than 0, or None.
    """

    status: int
    message: str = ""
    code: str = ""
    param: str = ""
    retry_after: float | None = None


def read_fault(status: int, headers: Mapping[str, str], body: bytes) -> ServerFault:
    """The fault in an HTTP response that is no success."""
    text = body.decode("utf-8", "replace")
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        payload = _plain(text)
    if isinstance(payload, list):
        payload = payload[0] if payload else ""
    fault = _from_object(payload) if isinstance(payload, dict) else ServerFault(0, str(payload))
    wait = asked_wait(headers, payload, fault.message)
    return msgspec.structs.replace(fault, status=status, retry_after=wait)


def fault_inside(payload: Mapping[str, object], *, is_all: bool = False) -> ServerFault | None:
    """The fault that a successful response carries in place of a completion, or None when it carries none.

    Args:
        payload: A body, or a chunk of a stream.
        is_all: Whether nothing else has come, so that any words in it say why.
    """
    if payload.keys() <= OF_A_CHUNK and payload.get("object") != "error":
        fault = _of_choice(payload.get("choices"))
    else:
        fault = _inside(payload, is_all=is_all)
    if fault is None:
        return None
    return msgspec.structs.replace(fault, retry_after=asked_wait({}, payload, fault.message))


def _inside(payload: Mapping[str, object], *, is_all: bool) -> ServerFault | None:
    error = payload.get("error")
    if (any(error.values()) if isinstance(error, dict) else error) or payload.get("object") == "error":
        return _from_object(payload)
    choices = payload.get("choices")
    if (fault := _of_choice(choices)) is not None:
        return fault
    outcome = payload.get("base_resp")  # MiniMax
    if isinstance(outcome, dict) and (fault := _failure(outcome)):
        return fault
    header = payload.get("header")  # iFlytek
    inner = header if isinstance(header, dict) else {}
    return None if choices else _failure(inner) or _failure(payload, is_all=is_all)


def _of_choice(choices: object) -> ServerFault | None:
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("error"):
            return _from_object(choice)
    return None


def _failure(outcome: Mapping[str, object], *, is_all: bool = False) -> ServerFault | None:
    """The fault in an outcome that is a code with words, or a flag, or words that only errors have."""
    words = _words_in(outcome, _ERROR_WORDS)
    code = next((value for name in _CODE_NAMES if _is_failure(value := outcome.get(name))), None)
    failed = outcome.get("success") is False or str(outcome.get("status")).lower() in _FAILED
    if not words and (failed or is_all or code is not None):
        words = _words_in(outcome, _OTHER_WORDS)
    if not (words or failed):
        return None
    fields = {"code": code, "message": words, "type": outcome.get("type")}
    return _from_object({"error": fields} if words else outcome)


def _is_failure(code: object) -> bool:
    return isinstance(code, (int, str)) and not isinstance(code, bool) and str(code).lower() not in _OK_CODES


def _words_in(outcome: Mapping[str, object], names: tuple[str, ...]) -> str:
    """The first words under one of these names, in a text or in the entries of a list."""
    for name in names:
        value = outcome.get(name)
        entries = value if isinstance(value, list) else [value]
        found = [
            _words_in(one, ("message", "msg")) if isinstance(one, dict) else _text(one) for one in entries
        ]
        if words := "; ".join(filter(None, found)):
            return words
    return ""


def _from_object(payload: Mapping[str, object]) -> ServerFault:
    inner = payload.get("error")
    error = inner if isinstance(inner, dict) else payload
    param = _text(error.get("param"))
    message = inner if isinstance(inner, str) else _text(error.get("message"))
    if not message:
        message, param = _validation(error.get("detail"), param)
    # Routers say only that someone behind them failed, and put that one's words aside.
    if isinstance(behind := error.get("metadata"), dict) and (raw := _text(behind.get("raw"))):
        message = f"{message}: {raw}"
    status = str(error.get("code") or payload.get("status"))
    return ServerFault(
        status=int(status) if re.fullmatch(r"[45]\d\d", status) else 0,
        message=message or json.dumps(payload, ensure_ascii=False),
        code=" ".join(_codes(error)).lower(),
        param=param,
    )


def _validation(detail: object, param: str) -> tuple[str, str]:
    """Message and parameter of the list that validating frameworks answer with."""
    if not isinstance(detail, list):
        return _text(detail), param
    findings = []
    for item in detail:
        if isinstance(item, dict) and isinstance(place := item.get("loc"), list):
            path = ".".join(str(step) for step in place if step != "body")
            param = param or path
            findings.append(f"{path}: {_text(item.get('msg'))}")
    return "; ".join(findings), param


def _codes(error: Mapping[str, object]) -> Iterator[str]:
    """What the server calls the fault: its code, its type, Google's status, and those of a fault below it."""
    for name in ("code", "type", "status"):
        value = error.get(name)
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            yield str(value)
    inner = error.get("innererror") or error.get("inner_error")
    if isinstance(inner, dict):
        yield from _codes(inner)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _plain(text: str) -> str:
    """A web page's title, or the words between its tags."""
    if "<" not in text:
        return text
    title = _TITLE.search(text)
    return title[1] if title else _MARKUP.sub(" ", text)
