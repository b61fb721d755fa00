"""Batches as OpenAI and Anthropic have them: kept while the server runs, worked on by the clock."""

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from tests.model_server.hosted_batches import handle_hosted
from tests.model_server.scripted import JsonObject, Scripted
from tests.model_server.wire import completion

Fate = Literal["answer", "refuse", "fail", "expire"]
"""What becomes of a row: a reply, an error that is its own fault, one of the server, or nothing in time."""

Answer = Callable[[str, JsonObject, Mapping[str, str]], tuple[int, Scripted]]
"""Notes that a row is bought, and gives its number and the reply to it."""


@dataclass(kw_only=True)
class Batching:
    """How a server treats batches.

    Attributes:
        seconds: From taking a batch to its end.
        taking: Seconds from keeping a batch to saying so.
        fate: What becomes of a row, by the number of its batch, from 1, and its own, from 0.
        lost: Numbers of batches that are kept, and whose answer never comes.
        garbled: Numbers of batches that are kept, and whose answer is a web page.
        refusal: Why no batch is taken; empty where batches are.
        most: Rows that a batch may have; more fail it as a whole.
        seed: Of the order of results.
    """

    seconds: float = 0.0
    taking: float = 0.0
    fate: Callable[[int, int], Fate] = lambda batch, row: "answer"
    lost: frozenset[int] = frozenset()
    garbled: frozenset[int] = frozenset()
    refusal: str = ""
    most: int = 1_000_000
    seed: int = 1


@dataclass
class Row:
    """A request of a batch, and what becomes of it."""

    name: str
    request: JsonObject
    number: int
    reply: Scripted
    fate: Fate


@dataclass
class Batch:
    """A batch that was taken."""

    number: int
    id: str
    rows: list[Row]
    metadata: JsonObject
    file: str = ""
    created: float = field(default_factory=time.time)


class Batches:
    """The batches of a server.

    Args:
        how: How they are treated.
        answer: Gives replies.

    Attributes:
        how: It may be changed at any time.
        taken: Batches so far, forgotten ones included.
        files: Contents of uploads, by name.
        known: Batches by id.
        targets: Where every request went, oldest first.
    """

    def __init__(self, how: Batching, answer: Answer) -> None:
        self.how = how
        self.taken: list[Batch] = []
        self._answer = answer
        self.files: dict[str, bytes] = {}
        self.targets: list[str] = []
        self.known: dict[str, Batch] = {}

    def forget(self) -> None:
        """Know none of the batches any more."""
        self.known.clear()

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Scripted | None:
        """The answer to a request about files and batches; None to any other."""
        self.targets.append(target)
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if (found := handle_hosted(self, method, parts.path, query, headers, body)) is not None:
            return found
        path = parts.path.removeprefix("/openai/").removeprefix("/v1/").split("/")  # the first is Azure's
        match method, *path:
            case "POST", "files":
                return self.upload(headers, body)
            case "GET", "files", file, "content":
                return self._content(file)
            case "POST", "batches":
                return self._begin(json.loads(body), headers)
            case "GET", "batches":
                return _json(self._page(query.get("after"), query, _openai))
            case "GET", "batches", name:
                return self.shown(name, _openai)
            case "POST", "messages", "batches":
                return self._begin_messages(json.loads(body), headers)
            case "GET", "messages", "batches":
                return _json(self._page(query.get("after_id"), query, _anthropic))
            case "GET", "messages", "batches", name:
                return self.shown(name, _anthropic)
            case "GET", "messages", "batches", name, "results":
                return self._results(name)
        return None

    def upload(self, headers: Mapping[str, str], body: bytes) -> Scripted:
        """Keep the file of a form."""
        boundary = headers["content-type"].partition("boundary=")[2].encode()
        parts = body.split(b"--" + boundary)
        file = next(part for part in parts if b'name="file"' in part).partition(b"\r\n\r\n")[2]
        purpose = next(part for part in parts if b'name="purpose"' in part).partition(b"\r\n\r\n")[2]
        assert purpose.strip() == b"batch"
        name = f"file-{len(self.files) + 1}"
        self.files[name] = file.removesuffix(b"\r\n")
        kept = {"created_at": int(time.time()), "filename": "batch.jsonl", "status": "processed"}
        return _json({"id": name, "object": "file", "purpose": "batch", "bytes": len(file)} | kept)

    def _begin(self, wanted: JsonObject, headers: Mapping[str, str]) -> Scripted:
        assert wanted["endpoint"] in {"/v1/chat/completions", "/chat/completions"}
        assert wanted["completion_window"] == "24h"
        lines = [json.loads(line) for line in self.files[wanted["input_file_id"]].splitlines()]
        assert all(line["url"] == wanted["endpoint"] and line["method"] == "POST" for line in lines)
        rows = [(line["custom_id"], line["body"]) for line in lines]
        return self.begin(rows, wanted.get("metadata") or {}, "/v1/batches", headers, _openai)

    def _begin_messages(self, wanted: JsonObject, headers: Mapping[str, str]) -> Scripted:
        assert headers["anthropic-version"]
        rows = []
        for one in wanted["requests"]:
            params = one["params"]
            assert params["max_tokens"] > 0
            system = [{"role": "system", "content": params["system"]}] if params.get("system") else []
            rows.append((one["custom_id"], {**params, "messages": [*system, *params["messages"]]}))
        return self.begin(rows, {}, "/v1/messages/batches", headers, _anthropic)

    def begin(
        self,
        rows: list[tuple[str, JsonObject]],
        metadata: JsonObject,
        target: str,
        headers: Mapping[str, str],
        shown: "Shown",
    ) -> Scripted:
        """Take a batch, and show it."""
        number, how = len(self.taken) + 1, self.how
        if how.refusal:
            return _json({"error": {"message": how.refusal}}, 400)
        assert len({name for name, _ in rows}) == len(rows)
        batch = Batch(number, f"batch_{number}", [], metadata)
        if len(rows) <= how.most:
            for at, (name, request) in enumerate(rows):
                fate = how.fate(number, at)
                bought = self._answer(target, request, headers) if fate == "answer" else (0, Scripted())
                batch.rows.append(Row(name, request, *bought, fate))
        self.taken.append(batch)
        self.known[batch.id] = batch
        ending: Literal["whole", "close"] = "close" if number in how.lost else "whole"
        answer = _json(shown(self, batch))
        if number in how.garbled:
            return Scripted(status=200, body=b"<html>Back soon</html>")
        return Scripted(status=200, body=answer.body, delay=how.taking or None, ending=ending)

    def shown(self, name: str, shown: "Shown") -> Scripted:
        """A batch, or that there is none."""
        batch = self.known.get(name)
        return _missing(name) if batch is None else _json(shown(self, batch))

    def _page(self, after: str | None, query: Mapping[str, str], shown: "Shown") -> JsonObject:
        newest = list(reversed(self.known.values()))
        start = next((at + 1 for at, one in enumerate(newest) if one.id == after), 0)
        size = int(query.get("limit", 20))
        page = newest[start : start + size]
        more = len(newest) > start + size
        return {
            "data": [shown(self, one) for one in page],
            "has_more": more,
            "last_id": page[-1].id if page else None,
        }

    def _content(self, file: str) -> Scripted:
        name, _, kind = file.rpartition("-")
        batch = self.known[name]
        lines = [
            _openai_line(row) for row in self.shuffled(batch) if (row.fate == "answer") == (kind == "out")
        ]
        return Scripted(status=200, body=_written(lines))

    def _results(self, name: str) -> Scripted:
        batch = self.known.get(name)
        if batch is None:
            return _missing(name)
        return Scripted(status=200, body=_written([_anthropic_line(row) for row in self.shuffled(batch)]))

    def shuffled(self, batch: Batch) -> list[Row]:
        """The rows of a batch in the order of its results."""
        rows = list(batch.rows)
        random.Random(self.how.seed).shuffle(rows)
        return rows

    def done(self, batch: Batch) -> float:
        """The share of a batch that is done."""
        spent = time.time() - batch.created
        return 1.0 if not self.how.seconds else min(1.0, spent / self.how.seconds)


Shown = Callable[[Batches, Batch], JsonObject]


def _openai(batches: Batches, batch: Batch) -> JsonObject:
    share = batches.done(batch)
    is_over = share == 1.0
    counted = batch.rows if is_over else batch.rows[: int(share * len(batch.rows))]
    answered = sum(row.fate == "answer" for row in counted)
    failed = sum(row.fate in {"refuse", "fail"} for row in counted)
    expired = any(row.fate == "expire" for row in batch.rows)
    status = ("expired" if expired else "completed") if is_over else "in_progress"
    found: JsonObject = {
        "id": batch.id,
        "object": "batch",
        "status": "failed" if not batch.rows else status,
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "input_file_id": "file-1",
        "created_at": int(batch.created),
        "expires_at": int(batch.created) + 86_400,
        "metadata": batch.metadata,
        "request_counts": {"total": len(batch.rows), "completed": answered, "failed": failed},
    }
    if not batch.rows:
        found["errors"] = {
            "data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]
        }
    elif is_over:
        found["output_file_id"] = f"{batch.id}-out" if answered else None
        found["error_file_id"] = f"{batch.id}-err" if answered < len(batch.rows) else None
    return found


def _anthropic(batches: Batches, batch: Batch) -> JsonObject:
    is_over = batches.done(batch) == 1.0
    fates = [row.fate for row in batch.rows]
    counts = {
        "processing": 0 if is_over else len(fates),
        "succeeded": fates.count("answer") if is_over else 0,
        "errored": fates.count("refuse") + fates.count("fail") if is_over else 0,
        "canceled": 0,
        "expired": fates.count("expire") if is_over else 0,
    }
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": "ended" if is_over else "in_progress",
        "request_counts": counts,
        "created_at": datetime.fromtimestamp(batch.created, UTC).isoformat(),
        "expires_at": datetime.fromtimestamp(batch.created + 86_400, UTC).isoformat().replace("+00:00", "Z"),
    }


def _openai_line(row: Row) -> JsonObject:
    base = {"id": f"batch_req_{row.number}", "custom_id": row.name}
    match row.fate:
        case "answer":
            body = completion(row.reply, row.request, row.number)
            return {**base, "response": {"status_code": 200, "body": body}, "error": None}
        case "expire":
            return {**base, "response": None, "error": {"code": "batch_expired", "message": "Out of time."}}
        case _:
            return {**base, "response": {"status_code": _status(row), "body": {"error": _fault(row)}}}


def _anthropic_line(row: Row) -> JsonObject:
    match row.fate:
        case "answer":
            whole = completion(row.reply, row.request, row.number)
            usage = whole.get("usage") or {}
            message = {
                "role": "assistant",
                "content": [{"type": "text", "text": whole["choices"][0]["message"]["content"]}],
                "stop_reason": "max_tokens" if row.reply.finish_reason == "length" else "end_turn",
                "usage": {
                    "input_tokens": usage.get("prompt_tokens", 0),
                    "output_tokens": usage.get("completion_tokens", 0),
                },
            }
            return {"custom_id": row.name, "result": {"type": "succeeded", "message": message}}
        case "expire":
            return {"custom_id": row.name, "result": {"type": "expired"}}
        case _:
            error = {"type": "error", "error": _fault(row)}
            return {"custom_id": row.name, "result": {"type": "errored", "error": error}}


def _status(row: Row) -> int:
    return 400 if row.fate == "refuse" else 500


def _fault(row: Row) -> JsonObject:
    kind = "invalid_request_error" if row.fate == "refuse" else "api_error"
    return {"type": kind, "message": f"This row cannot be answered: {row.name}"}


def _written(lines: list[JsonObject]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _missing(name: str) -> Scripted:
    return _json({"error": {"message": f"No batch found with id '{name}'."}}, 404)


def _json(payload: Any, status: int = 200) -> Scripted:
    return Scripted(status=status, body=json.dumps(payload).encode())
