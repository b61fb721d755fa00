"""What an exported file says of a prompt: a receipt, a report, a run as JSON, or the prompt alone."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.view.report import html, markdown
from spotui.view.report.receipt import VERSION, hash_of
from spotui.workspace.files import hint_for

MOST_BYTES: Final = 64_000_000
"""The largest file; a report of a long run has a few."""

Kind = Literal["receipt", "HTML report", "Markdown report", "JSON export", "prompt"]


class Claims(NamedTuple):
    """What a file says.

    Attributes:
        kind: What kind of file it is.
        project: The project that it names; empty for a prompt alone.
        receipt: Fields of a receipt, as JSON has them; only those that the file has.
        shown: The figures that a report shows to people, by name; None in a Markdown report, which has them
            without names, and elsewhere.
        unnamed: The figures of a Markdown report, in their order.
        prompt: The prompt that is shown to people; None where none is.
    """

    kind: Kind
    project: str
    receipt: dict[str, Any]
    shown: dict[str, str] | None = None
    unnamed: Sequence[str] | None = None
    prompt: str | None = None


def read_claims(path: Path) -> Claims:
    """Read a file; nothing in it is run, and no name in it is followed.

    Args:
        path: The file.

    Raises:
        SpotuiError: It cannot be read, is too large, or is a receipt that a newer version wrote.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SpotuiError(
            _("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
            hint_for(error, _("Give a file that spotui exported: a prompt, a receipt or a report.")),
        ) from None
    if len(data) > MOST_BYTES:
        raise SpotuiError(
            _("{path} has more than {megabytes} MB.", path=path, megabytes=MOST_BYTES // 1_000_000),
            _("Give a file that spotui exported: a prompt, a receipt or a report."),
        )
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    if html.MARK in text:
        return _of_html(path, text)
    if text.startswith(markdown.MARK):
        return _of_markdown(path, text)
    fields = _json_object(text)
    if isinstance(fields.get("receipt"), int):
        return _of_receipt(path, "receipt", fields)
    if isinstance(fields.get("rounds"), list) and isinstance(fields.get("prompt"), str):
        return _of_export(fields)
    return Claims("prompt", "", {"prompt": text, "prompt_sha256": hash_of(text)}, prompt=text)


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _of_receipt(path: Path, kind: Kind, fields: dict[str, Any]) -> Claims:
    if fields["receipt"] > VERSION:
        raise SpotuiError(
            _("{path} was written by a newer spotui.", path=path), _("Update spotui to open it.")
        )
    project, prompt = fields.get("project"), fields.get("prompt")
    return Claims(
        kind,
        project if isinstance(project, str) else "",
        fields,
        prompt=prompt if isinstance(prompt, str) else None,
    )


def _of_export(fields: dict[str, Any]) -> Claims:
    """The fields of a receipt that are in a run as JSON."""
    parts: tuple[str, ...] = ("project", "round", "prompt")
    found: dict[str, Any] = {name: fields[name] for name in parts if name in fields}
    found["rounds"] = len(fields["rounds"])
    for one in fields["rounds"]:
        if isinstance(one, dict) and one.get("round") == fields.get("round"):
            parts = ("score", "score_interval", "win_rate", "win_interval")
            found |= {name: one[name] for name in parts if name in one}
            found["verdict"] = one.get("outcome")
    stop = fields.get("stop")
    if isinstance(stop, dict) and stop.get("calls"):
        parts = ("calls", "prompt_tokens", "completion_tokens", "cost_usd", "unpriced")
        found |= {name: stop[name] for name in parts if name in stop}
    project = found.get("project")
    return Claims(
        "JSON export", project if isinstance(project, str) else "", found, prompt=str(found["prompt"])
    )


class _Shown(HTMLParser):
    """Collects the receipt and the figures of a report."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.figures: dict[str, str] = {}
        self.data = ""
        self._name = self._tag = ""
        self._is_data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script":
            self._is_data = given.get("id") == html.DATA_ID
        elif name := given.get("data-figure"):
            self._name, self._tag = name, tag
            self.figures[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._is_data = False
        elif tag == self._tag:
            self._name = self._tag = ""

    def handle_data(self, data: str) -> None:
        if self._is_data:
            self.data += data
        elif self._name:
            self.figures[self._name] += data


def _of_html(path: Path, text: str) -> Claims:
    parser = _Shown()
    parser.feed(text)
    parser.close()
    claims = _with_receipt(path, "HTML report", parser.data)
    shown = dict(parser.figures)
    prompt = shown.pop("prompt", None)
    return claims._replace(shown=shown, prompt=None if prompt is None else prompt.removeprefix("\n"))


_FENCE: Final = re.compile(r"\s*^(`{3,})\w*\n(.*?)^\1[ \t]*$", re.DOTALL | re.MULTILINE)


def _of_markdown(path: Path, text: str) -> Claims:
    text = text.replace("\r\n", "\n")
    claims = _with_receipt(path, "Markdown report", _fenced_after(text, markdown.RECEIPT, last=True) or "")
    table = text.partition(f"\n{markdown.FIGURES}\n\n")[2].partition("\n\n")[0].splitlines()[2:]
    unnamed = [re.split(r"(?<!\\)\|", row)[2].strip() for row in table if row.count("|") > 2]
    return claims._replace(
        unnamed=[one.replace("\\", "") for one in unnamed], prompt=_fenced_after(text, markdown.PROMPT)
    )


def _fenced_after(text: str, mark: str, *, last: bool = False) -> str | None:
    """The block behind a mark; the receipt's is behind the last one, as a prompt may hold one, too."""
    start = text.rfind(f"\n{mark}\n") if last else text.find(f"\n{mark}\n")
    found = _FENCE.match(text, start + len(mark) + 2) if start >= 0 else None
    return found[2].removesuffix("\n") if found else None


def _with_receipt(path: Path, kind: Kind, data: str) -> Claims:
    fields = _json_object(data)
    if not isinstance(fields.get("receipt"), int):
        raise SpotuiError(
            _("{path} is a report without a receipt, so there is nothing to verify.", path=path),
            _("Give the report of a run; 'spotui report NAME' writes one."),
        )
    return _of_receipt(path, kind, fields)
