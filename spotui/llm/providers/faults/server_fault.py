"""What a server says went wrong, read from the many shapes in which servers say it."""

import json
import re
from collections.abc import Iterator, Mapping

import msgspec

from spotui.llm.providers.faults.retry_after import asked_wait

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_MARKUP = re.compile(r"<(style|script)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)


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


def fault_inside(payload: Mapping[str, object]) -> ServerFault | None:
    """The fault that a successful response carries in place of a completion, or None when it carries none."""
    if payload.get("error") or payload.get("object") == "error":
        fault = _from_object(payload)
        return msgspec.structs.replace(fault, retry_after=asked_wait({}, payload, fault.message))
    return None


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
