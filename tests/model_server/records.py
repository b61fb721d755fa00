"""What the server has seen: in memory for a test, and as JSON lines that outlive a killed client."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.model_server.scripted import JsonObject

# Not answered yet; sent whole; the client left before that; broken off by a planned fault or the end.
Outcome = Literal["open", "completed", "client_gone", "broken"]


@dataclass(slots=True)
class Recorded:
    """One request for a completion.

    Attributes:
        number: The first request is 1.
        target: What its first line asks for, such as `/v1/chat/completions`.
        json: Its body.
        headers: With names in lower case.
        received_at: Seconds since the epoch.
        ended_at: The same, or None while it is open.
        outcome: How it ended.
        status: The HTTP status it was answered with; 0 for none.
    """

    number: int
    target: str
    json: JsonObject
    headers: Mapping[str, str]
    received_at: float
    ended_at: float | None = None
    outcome: Outcome = "open"
    status: int = 0


class RequestLog:
    """Requests in order, each written to a file when it comes and again when it ends.

    Args:
        path: A file to append to, or None to keep them in memory only.
    """

    def __init__(self, path: Path | None) -> None:
        self.requests: list[Recorded] = []
        self.peak_open = 0
        self._open = 0
        self._file = None if path is None else os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def received(self, target: str, body: JsonObject, headers: Mapping[str, str]) -> Recorded:
        request = Recorded(len(self.requests) + 1, target, body, headers, time.time())
        self.requests.append(request)
        self._open += 1
        self.peak_open = max(self.peak_open, self._open)
        line = {"event": "received", "number": request.number, "time": request.received_at}
        self._write(line | {"target": target, "json": body})
        return request

    def ended(self, request: Recorded, outcome: Outcome) -> None:
        request.ended_at = time.time()
        request.outcome = outcome
        self._open -= 1
        line = {
            "event": outcome,
            "number": request.number,
            "time": request.ended_at,
            "status": request.status,
        }
        self._write(line)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _write(self, line: JsonObject) -> None:
        if self._file is not None:
            os.write(self._file, json.dumps(line).encode() + b"\n")


def read_log(path: Path) -> list[Recorded]:
    """The requests of a log file; headers are not in it."""
    requests: dict[int, Recorded] = {}
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        if entry["event"] == "received":
            number, target = entry["number"], entry["target"]
            requests[number] = Recorded(number, target, entry["json"], {}, entry["time"])
        else:
            request = requests[entry["number"]]
            request.outcome, request.ended_at = entry["event"], entry["time"]
            request.status = entry["status"]
    return list(requests.values())
