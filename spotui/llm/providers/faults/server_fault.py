"""What a server says went wrong, read from the many shapes in which servers say it."""

import json
import re
from collections.abc import Mapping
from time import time

import msgspec

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_MARKUP = re.compile(r"<(style|script)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)


class ServerFault(msgspec.Struct, frozen=True):
    """A refusal or a failure in the server's own words.

    Attributes:
        status: The HTTP status, or 0 when it is not known.
        message: What the server says, free text.
        code: Its code and type, in lower case, such as `insufficient_quota`.
        param: The parameter it complains about, or empty.
        retry_after: Seconds it asks to wait, or None.
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
    return msgspec.structs.replace(fault, status=status, retry_after=_retry_after(headers))


def fault_inside(payload: Mapping[str, object]) -> ServerFault | None:
    """The fault that a successful response carries in place of a completion, or None when it carries none."""
    if payload.get("error") or payload.get("object") == "error":
        return _from_object(payload)
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
        code=f"{_text(error.get('code'))} {_text(error.get('type'))}".strip().lower(),
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


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _plain(text: str) -> str:
    """A web page's title, or the words between its tags."""
    if "<" not in text:
        return text
    title = _TITLE.search(text)
    return title[1] if title else _MARKUP.sub(" ", text)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    written = headers.get("retry-after")
    if written is None:
        return None
    seconds = _number(written)
    if seconds is not None:
        return seconds
    from email.utils import parsedate_to_datetime

    try:
        return max(0.0, parsedate_to_datetime(written).timestamp() - time())
    except (ValueError, OverflowError):
        return None


def _number(written: str | None) -> float | None:
    try:
        value = float(written or "")
    except ValueError:
        return None
    return max(0.0, value) if abs(value) != float("inf") and value == value else None
