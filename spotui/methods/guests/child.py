"""The process of an optimizer of another package: it knows the address of a run of ours, and nothing else.

`python -m spotui.methods.guests.child` reads the task from the endpoint, runs the optimizer, and hands in the
prompt that it ends with. It ends with the run: its standard input is closed then.
"""

import http.client
import json
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from spotui.engine.loopback import ADDRESS, KEY


class Outcome(NamedTuple):
    """What became of a row with a prompt.

    Attributes:
        answer: What the model answered.
        mark: 0..1; 0 for a row that could not be marked.
        feedback: The text that a reflection reads about it.
    """

    answer: str
    mark: float
    feedback: str


class RunEndsError(Exception):
    """The run ends: nothing is asked any more."""


class Door:
    """Asks the run.

    Args:
        address: Where its endpoint is.
        key: The key of the endpoint.
    """

    def __init__(self, address: str, key: str) -> None:
        self.address = address
        self.key = key

    def task(self) -> dict[str, Any]:
        """What is to be optimized."""
        found: dict[str, Any] = self._ask("GET", "/task")
        return found

    def answer(self, prompt: str, row: Mapping[str, Any]) -> Outcome:
        """Ask a row with a prompt."""
        asked = {"prompt": prompt, "split": row["split"], "position": row["position"]}
        found = self._ask("POST", "/answer", asked)
        mark = found["mark"]
        return Outcome(found["answer"], mark or 0.0, feedback(row, found))

    def write(self, messages: str | list[dict[str, Any]]) -> str:
        """A reply of the optimizer's model."""
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        found = self._ask("POST", "/v1/chat/completions", {"model": "optimizer", "messages": messages})
        text: str = found["choices"][0]["message"]["content"]
        return text

    def hand_in(self, prompt: str) -> None:
        """Say which prompt is the best."""
        self._ask("POST", "/result", {"prompt": prompt})

    def _ask(self, verb: str, path: str, data: object = None) -> Any:
        to = urlsplit(self.address)
        connection = http.client.HTTPConnection(to.hostname or "", to.port)
        try:
            body = None if data is None else json.dumps(data)
            headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            connection.request(verb, path, body, headers)
            reply = connection.getresponse()
            found = json.loads(reply.read())
        except (OSError, http.client.HTTPException) as error:
            raise RunEndsError(str(error)) from None
        finally:
            connection.close()
        if reply.status == 503:
            os._exit(3)  # whatever the optimizer would make of an error: the run has ended
        if reply.status != 200:
            raise ValueError(found["error"]["message"])
        return found


def feedback(row: Mapping[str, Any], marked: Mapping[str, Any]) -> str:
    """The text that a reflection reads about an answer: its mark, what was read or why, the reference."""
    mark = marked["mark"]
    if mark is None:
        return f"The answer could not be marked: {marked['note']}"
    said = [f"Score: {mark:g} of 1."]
    if marked["note"]:
        said.append(f"Read from the answer: {marked['note']}")
    if row["answer"] and mark < 1:
        said.append(f"Expected: {row['answer']}")
    return "\n".join(said)


def _end_with_the_run() -> None:
    while os.read(0, 4096):
        pass
    os._exit(3)


def main() -> None:
    """Run the optimizer that the task names."""
    threading.Thread(target=_end_with_the_run, daemon=True).start()
    door = Door(os.environ.pop(ADDRESS), os.environ.pop(KEY))
    task = door.task()
    name: Final[str] = task["optimizer"]
    if name == "gepa-engine":
        from spotui.methods.guests.of_gepa import run
    else:
        from spotui.methods.guests.of_dspy import run
    door.hand_in(run(door, task))
    sys.stdout.flush()
    os._exit(0)  # threads of the other package must not keep the process


if __name__ == "__main__":
    try:
        main()
    except BaseException:  # noqa: BLE001 - its last line is what the run tells
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)
