"""Batches as Mistral, Gemini, xAI and Vertex AI with its storage have them, below `/mistral` and so on."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote

from tests.model_server.scripted import JsonObject, Scripted
from tests.model_server.wire import completion

if TYPE_CHECKING:
    from tests.model_server.batches import Batch, Batches, Row

KEY: Final = "key-0123456789abcdef"
"""The key that all of them want."""

_PAGE: Final = 2
"""Entries of a page, fewer than are asked for."""


class Asked(NamedTuple):
    """A request to one of these APIs.

    Attributes:
        batches: What the server keeps.
        method: Of the request.
        parts: Of its path, behind the API's own name.
        query: Of its address.
        headers: By their names in small letters.
        body: Of the request.
    """

    batches: "Batches"
    method: str
    parts: list[str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


def handle_hosted(
    batches: "Batches",
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
) -> Scripted | None:
    """The answer to a request to one of these APIs; None to any other."""
    api, _slash, rest = path.removeprefix("/").partition("/")
    asked = Asked(batches, method, rest.split("/"), query, headers, body)
    if api == "gemini":
        assert "session" in asked.parts or headers["x-goog-api-key"] == KEY
        return _gemini(asked)
    if api not in _BY_TOKEN:
        return None
    assert headers["authorization"] == f"Bearer {KEY}"
    return _BY_TOKEN[api](asked)


def _mistral(asked: Asked) -> Scripted | None:
    batches = asked.batches
    match asked.method, *asked.parts:
        case "POST", "v1", "files":
            return batches.upload(asked.headers, asked.body)
        case "GET", "v1", "files", file, "content":
            name, _, kind = file.rpartition("-")
            ended = [row for row in batches.shuffled(batches.known[name]) if row.fate != "expire"]
            return _lines([_openai_row(row) for row in ended if (row.fate == "answer") == (kind == "out")])
        case "POST", "v1", "batch", "jobs":
            wanted = json.loads(asked.body)
            lines = [json.loads(line) for line in batches.files[wanted["input_files"][0]].splitlines()]
            assert all(line.keys() == {"custom_id", "body"} and "model" not in line["body"] for line in lines)
            rows = [(line["custom_id"], line["body"] | {"model": wanted["model"]}) for line in lines]
            return batches.begin(rows, wanted["metadata"], "/mistral/batches", asked.headers, _mistral_job)
        case "GET", "v1", "batch", "jobs":
            page, _more = _page(list(batches.known.values()), str(_PAGE * int(asked.query["page"])))
            shown = [_mistral_job(batches, one) for one in page]
            return _json({"data": shown, "total": len(batches.known), "object": "list"})
        case "GET", "v1", "batch", "jobs", name:
            return batches.shown(name, _mistral_job)
    return None


def _mistral_job(batches: "Batches", batch: "Batch") -> JsonObject:
    fates = [row.fate for row in batch.rows]
    is_over = batches.done(batch) == 1.0
    answered, failed = fates.count("answer"), fates.count("fail") + fates.count("refuse")
    status = "TIMEOUT_EXCEEDED" if "expire" in fates else "SUCCESS"
    return {
        "id": batch.id,
        "input_files": ["file-1"],
        "endpoint": "/v1/chat/completions",
        "model": "test-model",
        "status": status if is_over else "RUNNING",
        "created_at": int(batch.created),
        "total_requests": len(fates),
        "completed_requests": answered + failed if is_over else 0,
        "succeeded_requests": answered if is_over else 0,
        "failed_requests": failed if is_over else 0,
        "output_file": f"{batch.id}-out" if is_over and answered else None,
        "error_file": f"{batch.id}-err" if is_over and failed else None,
        "metadata": batch.metadata,
    }


def _xai(asked: Asked) -> Scripted | None:
    batches = asked.batches
    match asked.method, *asked.parts:
        case "POST", "v1", "files":
            return batches.upload(asked.headers, asked.body)
        case "POST", "v1", "batches":
            wanted = json.loads(asked.body)
            lines = [json.loads(line) for line in batches.files[wanted["input_file_id"]].splitlines()]
            rows = [(line["custom_id"], line["body"]) for line in lines]
            return batches.begin(rows, {"name": wanted["name"]}, "/xai/batches", asked.headers, _xai_batch)
        case "GET", "v1", "batches":
            page, more = _page(list(batches.known.values()), asked.query.get("pagination_token"))
            return _json({"batches": [_xai_batch(batches, one) for one in page], "pagination_token": more})
        case "GET", "v1", "batches", name:
            return batches.shown(name, _xai_batch)
        case "GET", "v1", "batches", name, "results":
            rows_left = [row for row in batches.shuffled(batches.known[name]) if row.fate != "expire"]
            page, more = _page(rows_left, asked.query.get("pagination_token"))
            return _json({"results": [_xai_row(row) for row in page], "pagination_token": more})
    return None


def _xai_batch(batches: "Batches", batch: "Batch") -> JsonObject:
    fates = [row.fate for row in batch.rows]
    is_over = batches.done(batch) == 1.0
    counts = {
        "num_requests": len(fates),
        "num_pending": 0 if is_over else len(fates),
        "num_success": fates.count("answer") if is_over else 0,
        "num_error": fates.count("fail") + fates.count("refuse") if is_over else 0,
        "num_cancelled": fates.count("expire") if is_over else 0,
    }
    day = datetime.fromtimestamp(batch.created, UTC).date().isoformat()  # all that its API tells
    return {
        "batch_id": batch.id,
        "name": batch.metadata["name"],
        "create_time": day,
        "input_file_id": "file-1",
        "state": counts,
    }


def _xai_row(row: "Row") -> JsonObject:
    if row.fate == "answer":
        answer = {"response": {"chat_get_completion": completion(row.reply, row.request, row.number)}}
        return {"batch_request_id": row.name, "batch_result": answer}
    code = 3 if row.fate == "refuse" else 13
    error = {"code": code, "message": f"This row cannot be answered: {row.name}"}
    return {"batch_request_id": row.name, "batch_result": {"error": error}}


def _gemini(asked: Asked) -> Scripted | None:
    batches = asked.batches
    match asked.method, *asked.parts:
        case "POST", "upload", "v1beta", "files":
            url = f"http://{asked.headers['host']}/gemini/upload/session/{len(batches.files) + 1}"
            return Scripted(status=200, headers={"x-goog-upload-url": url}, body=b"{}")
        case "POST", "upload", "session", number:
            name = f"files/in-{number}"
            batches.files[name] = asked.body
            kept = {"uri": f"https://generativelanguage.googleapis.com/v1beta/{name}", "displayName": "in"}
            return _json(
                {
                    "file": {
                        "name": name,
                        **kept,
                        "sizeBytes": str(len(asked.body)),
                        "createTime": _iso(time.time()),
                    }
                }
            )
        case "POST", "v1beta", "models", action:
            assert action.endswith(":batchGenerateContent")
            wanted = json.loads(asked.body)["batch"]
            lines = [
                json.loads(line) for line in batches.files[wanted["input_config"]["file_name"]].splitlines()
            ]
            rows = [(line["custom_id"], line["body"]) for line in lines]
            named = {"displayName": wanted["display_name"]}
            return batches.begin(rows, named, "/gemini/batches", asked.headers, _gemini_operation)
        case "GET", "v1beta", "batches":
            page, more = _page(list(batches.known.values()), asked.query.get("pageToken"))
            shown = [_gemini_operation(batches, one) for one in page]
            return _json({"operations": shown, "nextPageToken": more})
        case "GET", "v1beta", "batches", name:
            return batches.shown(name, _gemini_operation)
        case "GET", "download", "v1beta", "files", file:
            batch = batches.known[file.removesuffix(":download").removesuffix("-out")]
            return _lines([_gemini_row(row) for row in batches.shuffled(batch)])
    return None


def _gemini_operation(batches: "Batches", batch: "Batch") -> JsonObject:
    fates = [row.fate for row in batch.rows]
    is_over = batches.done(batch) == 1.0
    return {
        "name": f"batches/{batch.id}",
        "metadata": {
            **batch.metadata,
            "createTime": _iso(batch.created),
            "state": "BATCH_STATE_SUCCEEDED" if is_over else "BATCH_STATE_RUNNING",
            "batchStats": {
                "requestCount": str(len(fates)),
                "successfulRequestCount": str(fates.count("answer")) if is_over else "0",
                "failedRequestCount": str(len(fates) - fates.count("answer")) if is_over else "0",
            },
            **({"output": {"responsesFile": f"files/{batch.id}-out"}} if is_over else {}),
        },
        "done": is_over,
    }


def _gemini_row(row: "Row") -> JsonObject:
    if row.fate == "answer":
        whole = completion(row.reply, row.request, row.number)
        choice, usage = whole["choices"][0], whole["usage"]
        thought = usage["completion_tokens"] // 5  # in the total alone
        body = {
            "id": whole["id"],
            "choices": [{"index": 0, "message": choice["message"], "finishReason": choice["finish_reason"]}],
            "usage": {
                "promptTokens": usage["prompt_tokens"],
                "completionTokens": usage["completion_tokens"] - thought,
                "totalTokens": usage["total_tokens"],
            },
        }
        return {"custom_id": row.name, "response": {"status_code": 200, "body": body}}
    code = {"refuse": 3, "expire": 4}.get(row.fate, 13)
    return {"key": row.name, "error": {"code": code, "message": f"This row cannot be answered: {row.name}"}}


def _vertex(asked: Asked) -> Scripted | None:
    batches = asked.batches
    match asked.method, *asked.parts:
        case "POST", "v1", "projects", _, "locations", _, "batchPredictionJobs":
            wanted = json.loads(asked.body)
            assert wanted["model"] == "publishers/google/models/gemini-test"
            [file] = wanted["inputConfig"]["gcsSource"]["uris"]
            rows = [_vertex_request(json.loads(line)) for line in batches.files[file].splitlines()]
            return batches.begin(rows, {"file": file}, "/vertex/batches", asked.headers, _vertex_job)
        case "GET", "v1", "projects", _, "locations", _, "batchPredictionJobs":
            page, more = _page(list(batches.known.values()), asked.query.get("pageToken"))
            shown = [_vertex_job(batches, one) for one in page]
            return _json({"batchPredictionJobs": shown, **({"nextPageToken": more} if more else {})})
        case "GET", "v1", "projects", _, "locations", _, "batchPredictionJobs", name:
            return batches.shown(name, _vertex_job)
    return None


def _vertex_request(line: JsonObject) -> tuple[str, JsonObject]:
    """The name and the conversation of a request in Google's form, which is kept with it."""
    said = [part["text"] for one in line["request"]["contents"] for part in one["parts"]]
    name = line["request"]["labels"]["litellm_custom_id"]
    return name, {"messages": [{"role": "user", "content": "".join(said)}], "sent": line["request"]}


def _vertex_job(batches: "Batches", batch: "Batch") -> JsonObject:
    is_over = batches.done(batch) == 1.0
    folder = batch.metadata["file"].rpartition("/")[0]
    if is_over:
        rows = [_vertex_row(row) for row in batches.shuffled(batch)]
        batches.files[f"{folder}/{batch.id}/predictions.jsonl"] = _written(rows)
    return {
        "name": f"projects/p/locations/l/batchPredictionJobs/{batch.id}",
        "createTime": _iso(batch.created),
        "state": "JOB_STATE_SUCCEEDED" if is_over else "JOB_STATE_RUNNING",
        "inputConfig": {"gcsSource": {"uris": [batch.metadata["file"]]}},
        **({"outputInfo": {"gcsOutputDirectory": f"{folder}/{batch.id}"}} if is_over else {}),
    }


def _vertex_row(row: "Row") -> JsonObject:
    base = {"request": row.request["sent"], "processed_time": "2026-04-13T10:18:18.102004+00:00"}
    if row.fate != "answer":
        code = 400 if row.fate == "refuse" else 500
        error = {"error": {"code": code, "message": f"This row cannot be answered: {row.name}"}}
        return {**base, "status": f"Bad Request: {json.dumps(error)}", "response": {}}
    whole = completion(row.reply, row.request, row.number)
    content = {"role": "model", "parts": [{"text": whole["choices"][0]["message"]["content"]}]}
    usage = {
        "promptTokenCount": whole["usage"]["prompt_tokens"],
        "candidatesTokenCount": whole["usage"]["completion_tokens"],
        "totalTokenCount": whole["usage"]["total_tokens"],
    }
    candidate = {"content": content, "finishReason": "STOP"}
    said = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-test"}
    return {**base, "status": "", "response": said}


def _storage(asked: Asked) -> Scripted | None:
    batches, path = asked.batches, "/".join(asked.parts)
    if asked.method == "POST" and path.startswith("upload/storage/v1/b/"):
        bucket, name = path.split("/")[4], asked.query["name"]
        batches.files[f"gs://{bucket}/{name}"] = asked.body
        kept = {"name": name, "size": str(len(asked.body)), "timeCreated": _iso(time.time())}
        return _json({"id": f"{bucket}/{name}/1", **kept})
    if asked.method == "GET" and path.startswith("storage/v1/b/"):
        _, _, _, bucket, _, name = path.split("/", 5)
        content = batches.files.get(f"gs://{bucket}/{unquote(name)}")
        return _json({"error": {"code": 404}}, 404) if content is None else Scripted(status=200, body=content)
    return None


_BY_TOKEN: Final[Mapping[str, Callable[[Asked], Scripted | None]]] = {
    "mistral": _mistral,
    "xai": _xai,
    "vertex": _vertex,
    "gcs": _storage,
}
"""The APIs that take the key as a token."""


def _page(entries: list[Any], mark: str | None) -> tuple[list[Any], str | None]:
    """A small page, and the mark of the next one."""
    start = int(mark or 0)
    return entries[start : start + _PAGE], str(start + _PAGE) if len(entries) > start + _PAGE else None


def _openai_row(row: "Row") -> JsonObject:
    if row.fate == "answer":
        body = completion(row.reply, row.request, row.number)
        return {"custom_id": row.name, "response": {"status_code": 200, "body": body}, "error": None}
    status = 400 if row.fate == "refuse" else 500
    error = {"object": "error", "message": f"This row cannot be answered: {row.name}"}
    return {"custom_id": row.name, "response": {"status_code": status, "body": error}, "error": None}


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def _written(lines: list[JsonObject]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _lines(lines: list[JsonObject]) -> Scripted:
    return Scripted(status=200, body=_written(lines))


def _json(payload: Any, status: int = 200) -> Scripted:
    return Scripted(status=status, body=json.dumps(payload).encode())
