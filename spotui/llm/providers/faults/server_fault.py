"""What a server says went wrong: its words, its code and the wait it asks for, from any body it sends."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from spotui.domain.lazy_pattern import LazyPattern
from spotui.llm.providers.faults.retry_after import asked_wait

_TITLE = LazyPattern(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_MARKUP = LazyPattern(r"<(style|script)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)

# Names under which servers put an outcome into a successful response: Baidu, Zhipu, MiniMax, Tencent, relays.
_CODE_NAMES = (
    *("code", "error_code", "errcode", "err_code", "errorCode", "ErrorCode"),
    *("status_code", "statusCode", "retcode", "ret", "status"),
)
_OK_CODES = frozenset({"", "0", "200", "20000", "ok", "success"})
_FAILED = frozenset({"error", "fail", "failed", "failure"})
_FINE = frozenset({"ok", "success", "successful", "succeeded", "successfully", "成功", "null", "none"})
_ERROR_WORDS = (
    *("error_msg", "errmsg", "err_msg", "errorMessage", "error_message", "ErrorMsg"),
    *("errors", "detail", "exception", "failure_reason"),
)
_ERROR_FIELDS = ("error", "err", "Error", "fault")
_ENVELOPES = ("data", "body", "response", "result", "Response", "ResponseMetadata")
"""Where relays and Chinese clouds put a whole answer, an error in it included."""

OF_A_CHUNK = frozenset(
    {"id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint"}
)
"""Fields of an ordinary chunk: one that has no others can only hold an error in its choices."""

_OTHER_WORDS = (
    *("message", "msg", "status_msg", "Message", "reason", "description", "error_description"),
    *("faultstring", "detail", "details", "info", "title", "text", "error", "errors"),
)


_LONGEST_PAGE = 8192
_LONGEST_MESSAGE = 2048
_LONGEST_CODE = 256
"""Characters of a page, and of what a server says, that are looked at: patterns take too long for more."""


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
        payload = _plain(text[:_LONGEST_PAGE])
    if isinstance(payload, list):
        payload = payload[0] if payload else ""
    fault = (
        _from_object(payload)
        if isinstance(payload, dict)
        else ServerFault(0, str(payload)[:_LONGEST_MESSAGE])
    )
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
    if payload.get("object") == "error" or any(_is_error(payload.get(name)) for name in _ERROR_FIELDS):
        return _from_object(payload)
    choices = payload.get("choices")
    if (fault := _of_choice(choices)) is not None:
        return fault
    outcome = payload.get("base_resp")  # MiniMax
    if isinstance(outcome, dict) and (fault := _failure(outcome)):
        return fault
    header = payload.get("header")  # iFlytek
    inner = header if isinstance(header, dict) else {}
    if choices:
        return None
    return _failure(inner) or _failure(payload, is_all=is_all) or (_enveloped(payload) if is_all else None)


def _is_error(value: object) -> bool:
    """Whether the field for an error holds one: some servers fill it with their word for success."""
    if isinstance(value, str):
        return value.strip().lower() not in {"", "false", *_FINE}
    if not isinstance(value, dict):
        return bool(value)
    told = {name: one for name, one in value.items() if one and str(one).lower() not in _OK_CODES | _FINE}
    return bool(told) and not (told.keys() <= {"type", "param"})


def _enveloped(payload: Mapping[str, object]) -> ServerFault | None:
    """The fault in what a relay has put into an envelope, as an object or as JSON in a text."""
    for name in _ENVELOPES:
        inner = payload.get(name)
        if isinstance(inner, str) and inner.lstrip().startswith("{"):
            try:
                inner = json.loads(inner)
            except (ValueError, RecursionError):
                continue
        if isinstance(inner, dict) and (fault := _inside(inner, is_all=True)) is not None:
            status = _status(payload.get("statusCode") or payload.get("status") or payload.get("code"))
            return msgspec.structs.replace(fault, status=fault.status or status)
    if payload.get("is_error") is True:
        return _from_object(payload)
    return None


def _of_choice(choices: object) -> ServerFault | None:
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            for place in (choice, choice.get("delta"), choice.get("message")):
                if isinstance(place, dict) and _is_error(place.get("error")):
                    return _from_object(place)
    return None


def _failure(outcome: Mapping[str, object], *, is_all: bool = False) -> ServerFault | None:
    """The fault in an outcome that is a code with words, or a flag, or words that only errors have."""
    words = _words_in(outcome, _ERROR_WORDS)
    code = next((value for name in _CODE_NAMES if _is_failure(name, value := outcome.get(name))), None)
    failed = (
        str(outcome.get("success")).lower() == "false"
        or outcome.get("ok") is False
        or any(str(outcome.get(name)).lower() in _FAILED for name in ("status", "result"))
    )
    if not words and (failed or is_all or code is not None):
        words = _words_in(outcome, _OTHER_WORDS)
    if not (words or failed) or (not failed and words.strip(" .!").lower() in _FINE):
        return None
    fields = {"code": code, "message": words, "type": outcome.get("type")}
    return _from_object({"error": fields} if words else outcome)


def _is_failure(name: str, code: object) -> bool:
    if not isinstance(code, (int, str)) or isinstance(code, bool):
        return False
    written = str(code).lower()
    # A status in a word is how far the work is, unless it is one of those that failed.
    if name == "status" and not written.isdecimal():
        return written in _FAILED
    return written not in _OK_CODES


_DEEPEST: Final = 4


def _words_in(outcome: Mapping[str, object], names: tuple[str, ...], depth: int = 0) -> str:
    """The first words under one of these names: a text, or what lists and objects hold of such."""
    return next((words for name in names if (words := _said(outcome.get(name), depth))), "")


def _said(value: object, depth: int = 0) -> str:
    if depth > _DEEPEST:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_said(one, depth + 1) for one in value)))
    if isinstance(value, dict):
        return _words_in(value, _OTHER_WORDS, depth + 1) or _said([*value.values()][:1], depth + 1)
    return _text(value)


def _from_object(payload: Mapping[str, object]) -> ServerFault:
    inner = next((payload[name] for name in _ERROR_FIELDS if payload.get(name)), None)
    error = inner if isinstance(inner, dict) else payload
    if isinstance(deeper := error.get("error"), dict) and not error.get("message"):
        error = deeper
    param = _text(error.get("param"))
    message = inner if isinstance(inner, str) else _text(error.get("message") or error.get("Message"))
    if isinstance(inner, str) and (more := _words_in(payload, ("message", "msg", "error_description"))):
        # The error's field holds only its name.
        message = more if more.startswith(inner) else f"{inner}: {more}"
    if not message:
        message, param = _validation(error.get("detail"), param)
    if not message:
        message = _said(inner) or _words_in(error, (*_ERROR_WORDS, *_OTHER_WORDS))
    # Routers say only that someone behind them failed, and put that one's words aside.
    if isinstance(behind := error.get("metadata"), dict) and (raw := _text(behind.get("raw"))):
        message = f"{message}: {raw}"
    return ServerFault(
        status=_status(error.get("code") or payload.get("status")),
        message=(message or json.dumps(payload, ensure_ascii=False))[:_LONGEST_MESSAGE],
        code=" ".join(_codes(error)).lower()[:_LONGEST_CODE],
        param=param[:_LONGEST_CODE],
    )


def _status(code: object) -> int:
    """An HTTP status of a failure that a body names; 0 when it names none."""
    return int(str(code)) if re.fullmatch(r"[45][0-9]{2}", str(code)) else 0


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
