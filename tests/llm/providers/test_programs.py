"""Programs in place of a model: a failure costs one answer, and no process of them outlives the run."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.calls import Reply, Request
from spotui.domain.messages import Attachment, Message
from spotui.domain.rows import Row
from spotui.domain.secret import Secret
from spotui.engine.asking import given_apart
from spotui.llm.protocol import (
    BadRequestError,
    ModelError,
    OversizedReplyError,
    ProgramFailedError,
    UnavailableError,
)
from spotui.llm.providers.faults.http_errors import Target
from spotui.llm.providers.programs.answers import MOST_TRACE, asked_line, read_said, reply_of, said_of
from spotui.llm.providers.programs.provider import CommandProvider, FunctionProvider, UrlProvider
from spotui.llm.routing import Endpoint
from spotui.settings.programs import Program
from tests.command_line import ROOT

KEY = "sk-a-key-that-nobody-may-read"
AGENT = """\
import json, os, subprocess, sys, time
for line in sys.stdin:
    asked = json.loads(line)
    way, said = asked["question"], {"id": asked["id"], "answer": "yes"}
    if way == "crash":
        print("it broke with " + os.environ["THE_KEY"], file=sys.stderr)
        os._exit(3)
    if way == "kill":
        os.kill(os.getpid(), 9)
    if way == "garbage":
        print("Loading the model ...")
    if way == "hang":
        time.sleep(60)
    if way == "flood":
        sys.stdout.write("x" * 9_000_000 + "\\n")
    if way == "notes":
        for number in range(1000):
            print("note", number, file=sys.stderr)
    if way == "fork":
        started = [subprocess.Popen(["sleep", "60"], start_new_session=one) for one in (False, True)]
        said["answer"] = " ".join(str(one.pid) for one in started)
    if way == "leave":
        print(json.dumps(said))
        sys.exit()
    if way == "other":
        said["id"] = 1000
    if way == "number":
        said["answer"] = 7
    if way == "empty":
        said["answer"] = " "
    if way == "error":
        said |= {"answer": None, "error": "no passage", "cost_usd": 0.5, "prompt_tokens": 3}
    if way == "costly":
        said |= {"cost_usd": 0.25, "prompt_tokens": 30, "completion_tokens": 4, "trace": {"steps": ["é"]}}
    if way == "pid":
        said["answer"] = str(os.getpid())
    if way == "given":
        said["answer"] = json.dumps(asked)
    print(json.dumps(said))
"""


def asking(question: str, prompt: str = "Be kind.", **slots: str) -> Request:
    given = given_apart(prompt, Row(question, ("the answer",), slots))
    return Request("program/agent.py", (Message("user", f"{prompt}\n\n{question}"),), given=given)


def program(folder: Path, text: str = AGENT, *command: str) -> Program:
    (folder / "agent.py").write_text(text)
    return Program(command or (sys.executable, "agent.py"), folder.resolve())


def endpoint(seconds: float = 30.0, **more: str) -> Endpoint:
    return Endpoint("program/agent.py", timeout=seconds, base_url=more.get("url"))


async def ask(
    provider: CommandProvider | UrlProvider | FunctionProvider, question: str
) -> Reply | ModelError:
    try:
        return await provider.complete(asking(question), lambda _: None)
    except ModelError as error:
        return error


def asked_all(
    one: Program, questions: Sequence[str], *, seconds: float = 30.0
) -> tuple[list[Reply | ModelError], list[str]]:
    """What comes of each question, asked one after the other, and what the program wrote beside."""
    notes: list[str] = []

    async def main() -> list[Reply | ModelError]:
        environ = {**os.environ, "THE_KEY": KEY}
        provider = CommandProvider(one, endpoint(seconds), environ, [Secret(KEY)])
        provider.listen(notes.append)
        try:
            return [await ask(provider, question) for question in questions]
        finally:
            await provider.aclose()

    return asyncio.run(main()), notes


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that is dead and that nobody has waited for yet runs no more.
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def await_end(pids: Sequence[int]) -> None:
    deadline = time.monotonic() + 10
    while any(map(is_alive, pids)):
        assert time.monotonic() < deadline, "a process of the program still runs"
        time.sleep(0.02)


FAULTS = {
    "crash": "agent.py ended with exit code 3 before it answered: it broke with [key].",
    "kill": "agent.py was killed (Killed) before it answered.",
    "garbage": "agent.py wrote something other than a JSON object: Loading the model ...",
    "other": "agent.py answered request 1000 in place of",
    "number": "agent.py gave an answer that cannot be read (Expected `str | null`, got `int`",
    "empty": "agent.py gave no answer.",
    "error": "agent.py reports an error: no passage.",
    "flood": "agent.py sent more than 4 MiB for one reply, and the rest was not read.",
}


def test_whatever_a_program_does_to_one_question_it_answers_the_next(tmp_path: Path) -> None:
    questions = [one for way in FAULTS for one in (way, "costly")]
    found, notes = asked_all(program(tmp_path), questions)
    for (way, what), failed, answered in zip(FAULTS.items(), found[::2], found[1::2], strict=True):
        assert isinstance(failed, ProgramFailedError), way
        assert failed.what.startswith(what)
        assert isinstance(answered, Reply)
        usage = answered.usage
        assert (answered.text, answered.cost_usd, answered.trace) == ("yes", 0.25, '{"steps":["é"]}')
        assert (usage.prompt_tokens, usage.completion_tokens, usage.estimated) == (30, 4, False)
    reported = next(one for one in found if isinstance(one, ProgramFailedError) and one.reported)
    assert reported.reported is not None
    assert reported.reported.cost_usd in (0.5, None)
    assert notes == ["agent.py: it broke with [key]"]


def test_a_process_lives_on_between_answers_and_another_follows_one_that_left(tmp_path: Path) -> None:
    found, _ = asked_all(program(tmp_path), ["pid", "pid", "leave", "pid", "notes"])
    first, second, left, third, _noted = (one.text if isinstance(one, Reply) else str(one) for one in found)
    assert first == second != third
    assert left == "yes"


def test_a_program_that_writes_without_end_to_standard_error_is_cut(tmp_path: Path) -> None:
    found, notes = asked_all(program(tmp_path), ["notes", "notes"])
    assert all(isinstance(one, Reply) for one in found)
    assert notes[:2] == ["agent.py: note 0", "agent.py: note 1"]
    assert len(notes) <= 2 * 21
    assert "agent.py: what else it writes for this answer is left out" in notes


def test_a_program_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    started = time.monotonic()
    found, _ = asked_all(program(tmp_path), ["fork", "pid", "hang", "pid"], seconds=1.0)
    forked, first, hung, second = found
    assert isinstance(hung, ProgramFailedError)
    assert hung.what == "agent.py gave no answer within 1 s."
    assert "--exec-timeout" in hung.hint
    assert isinstance(forked, Reply)
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert first.text != second.text
    await_end([*map(int, forked.text.split()), int(first.text), int(second.text)])
    assert time.monotonic() - started < 20


def test_a_program_ends_with_us_even_when_we_are_killed(tmp_path: Path) -> None:
    program(tmp_path)
    code = f"""
import asyncio, sys
from pathlib import Path
from tests.llm.providers.test_programs import *
async def main():
    one = Program((sys.executable, "agent.py"), Path({str(tmp_path)!r}))
    provider = CommandProvider(one, endpoint(), os.environ, [])
    for question in ("fork", "pid"):
        print((await ask(provider, question)).text, flush=True)
    await ask(provider, "hang")
asyncio.run(main())
"""
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    pids = [int(pid) for _ in range(2) for pid in child.stdout.readline().split()]
    assert len(pids) == 3
    assert all(map(is_alive, pids))
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    await_end(pids)


def test_a_command_that_cannot_be_started_says_so(tmp_path: Path) -> None:
    for command, what in {
        "no-such-command": "agent.py cannot be started: there is no command no-such-command.",
        "./none": f"agent.py cannot be started: there is no file {tmp_path / 'none'}.",
    }.items():
        (found,), _ = asked_all(program(tmp_path, AGENT, command, "agent.py"), ["pid"])
        assert isinstance(found, BadRequestError)
        assert not isinstance(found, ProgramFailedError)
        assert found.what == what
        assert str(tmp_path) in found.hint


def test_python_is_our_own_where_the_system_has_none_of_that_name(tmp_path: Path) -> None:
    async def main() -> Reply | ModelError:
        one = program(tmp_path, AGENT, "python", "agent.py")
        provider = CommandProvider(one, endpoint(), {"PATH": str(tmp_path)}, [])
        try:
            return await ask(provider, "pid")
        finally:
            await provider.aclose()

    assert isinstance(asyncio.run(main()), Reply)


def test_a_program_is_given_prompt_question_and_columns_and_no_reference_answer(tmp_path: Path) -> None:
    (found,), _ = asked_all(program(tmp_path), ["given"])
    assert isinstance(found, Reply)
    assert json.loads(found.text) == {"id": 1, "prompt": "Be kind.", "question": "given", "row": {}}
    line = asked_line(2, asking("Who?", "Look at {city}.", city="Köln\n"))
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "id": 2,
        "prompt": "Look at {city}.",
        "question": "Who?",
        "row": {"city": "Köln\n"},
    }


def test_a_program_is_given_the_files_of_a_question_with_their_content() -> None:
    cat = Attachment("cat.png", "image/png", url="data:image/png;base64,aGk=", sha256="0")
    request = asking("What is it?")
    request = msgspec.structs.replace(request, messages=(Message("user", "What is it?", (cat,)),))
    line = json.loads(asked_line(3, request))
    assert line["files"] == [{"name": "cat.png", "media": "image/png", "url": cat.url}]
    assert (line["id"], line["question"]) == (3, "What is it?")


PLACE = Target("agent.py", "", [], has_key=False, key_hint=" ")
WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
KEYS = st.sampled_from(["id", "answer", "error", "tokens", "prompt_tokens", "cost_usd", "trace", "more"])


@given(line=st.binary() | st.dictionaries(KEYS, WILD).map(lambda one: json.dumps(one).encode()))
def test_any_line_is_a_reply_that_can_be_kept_or_one_kind_of_error(line: bytes) -> None:
    try:
        reply = reply_of(read_said(line, PLACE), asking("Who?"), PLACE, seconds=0.1)
    except ProgramFailedError as error:
        what = error.what
    else:
        what = "agent.py at "
        assert reply.text.strip()
        reply.text.encode()
        assert reply.usage.is_sane
        assert len(reply.trace) <= MOST_TRACE + 1
    assert what.startswith("agent.py at ")
    assert "\n" not in what


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, body = {
            "busy": (503, b"busy"),
            "garbage": (200, b"<html>"),
            "error": (200, b'{"error": "no passage"}'),
            "flood": (200, b"x" * 5_000_000),
        }.get(asked["question"], (200, json.dumps({"answer": self.path}).encode()))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/answer"
        server.shutdown()


def test_an_address_is_sent_the_same_and_its_faults_are_those_of_every_endpoint() -> None:
    async def main(url: str) -> list[Reply | ModelError]:
        provider = UrlProvider(endpoint(url=url))
        try:
            return [await ask(provider, one) for one in ("busy", "garbage", "error", "flood", "Who?")]
        finally:
            await provider.aclose()

    with serving() as url:
        busy, garbage, failed, flooded, answered = asyncio.run(main(url))
    assert isinstance(busy, UnavailableError)
    assert isinstance(garbage, ProgramFailedError)
    assert isinstance(failed, ProgramFailedError)
    assert failed.what.endswith("reports an error: no passage.")
    assert isinstance(flooded, OversizedReplyError)
    assert isinstance(answered, Reply)
    assert answered.text == "/v1/answer"
    assert answered.cost_usd is None


def test_a_python_function_answers_with_a_text_or_with_more() -> None:
    async def slow(prompt: str, question: str, row: dict[str, str]) -> dict[str, object]:
        await asyncio.sleep(30 if question == "hang" else 0)
        return {"answer": f"{prompt} {question}", "cost_usd": 0.0, "trace": object()}

    def quick(prompt: str, question: str, row: dict[str, str]) -> object:
        return {"crash": lambda: 1 / 0, "number": lambda: 7, "exit": sys.exit}.get(question, lambda: "yes")()

    async def main() -> list[Reply | ModelError]:
        providers = [FunctionProvider(one.__name__, one, endpoint(0.5), []) for one in (slow, quick)]
        pairs = [(0, "Who?"), (0, "hang"), (1, "Who?"), (1, "crash"), (1, "number"), (1, "exit")]
        return [await ask(providers[index], question) for index, question in pairs]

    answered, hung, text, crashed, number, left = asyncio.run(main())
    assert isinstance(answered, Reply)
    assert (answered.text, answered.cost_usd) == ("Be kind. Who?", 0.0)
    assert "object" in answered.trace
    assert isinstance(text, Reply)
    assert (text.text, text.cost_usd) == ("yes", None)
    assert "gave no answer within 0.5 s" in str(hung)
    assert "quick raised ZeroDivisionError" in str(crashed)
    assert "quick returned int" in str(number)
    assert "quick raised RuntimeError" in str(left)
    assert said_of({"answer": "a", "tokens": 3}, PLACE).tokens == 3


def test_prompts_are_given_by_name_where_a_template_has_several() -> None:
    text = "=== planner ===\nPlan.\n\n=== writer ===\nWrite."
    asked = json.loads(given_apart(text, Row("Now?"), several=True))
    assert asked["prompts"] == {"planner": "Plan.", "writer": "Write."}
    assert "prompts" not in json.loads(given_apart(text, Row("Now?")))
