"""Prompts where they are deployed: in the system message, among fixed messages, before a conversation."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import row_model
from tests.cli.conftest import Shell
from tests.command_line import TEMPLATE, write_template
from tests.model_server import ModelServer, Scripted, faults
from tests.model_server.scripted import JsonObject
from tests.row_model import adding, rows, template
from tests.spo_model import climbing, role_of

GPO = "method: gpo\nparameters: {max_steps: 2, candidates_per_step: 1, batch_size: 4}\n"
GRAD = "method: gradsum\nparameters: {iterations: 1}\n"


@pytest.fixture
def sums(home: Path) -> Iterator[ModelServer]:
    """A template with rows, and a model that adds."""
    (home / "rows.jsonl").write_text(rows(20))
    row_model.propose.calls = 0  # type: ignore[attr-defined]
    with ModelServer(adding) as server:
        yield server


def said(server: ModelServer, kind: str = "execute") -> list[list[dict[str, Any]]]:
    """The messages of every request of a kind so far, which are forgotten then."""
    of = role_of if kind != "adds" else row_model.kind_of
    wanted = "execute" if kind == "adds" else kind
    found = [one.json["messages"] for one in server.requests if of(one.json) == wanted]
    server.requests.clear()
    return found


def plain(messages: list[list[dict[str, Any]]]) -> Counter[str]:
    return Counter("\n\n".join(one["content"] for one in each) for each in messages)


def test_the_prompt_of_spo_stands_in_the_system_message_and_nothing_else_changes(
    shell: Shell, home: Path
) -> None:
    path = write_template(home)
    with ModelServer(climbing) as server:
        words = ("--model", "test-model", "--base-url", server.base_url, "--max-rounds", "2")
        shell("run", path, *words, "--name", "before")
        before = [one.json["messages"] for one in server.requests]
        server.requests.clear()
        shell("run", path, *words, "--name", "system", "--position", "system")
        after = [one.json["messages"] for one in server.requests]
        server.requests.clear()
        shell("test", "system", "Why do fish swim?")
        tried = said(server)
    executed = [one for one in after if len(one) > 1]
    assert {tuple(one["role"] for one in each) for each in executed} == {("system", "user")}
    assert len(executed) == 6
    assert {each[0]["content"] for each in executed} == {
        "Answer the question.",
        "Answer in style 1, with reasons.",
    }
    assert plain(before) == plain(after)
    assert [one["role"] for one in tried[0]] == ["system", "user"]
    assert tried[0][1]["content"] == "Why do fish swim?"


@pytest.mark.parametrize("method", [GPO, GRAD], ids=["gpo", "gradsum"])
def test_the_prompts_of_scored_methods_stand_there_too(
    shell: Shell, home: Path, sums: ModelServer, method: str
) -> None:
    (home / "sums.yaml").write_text(template(position="system") + method)
    words = ("--model", "test-model", "--base-url", sums.base_url)
    assert shell("run", "sums.yaml", *words).code in (0, 3)  # better, or not
    ran = said(sums, "adds")
    assert shell("score", "sums.yaml", *words, "--prompt", "seed").code == 0
    scored = said(sums, "adds")
    for each in (*ran, *scored):
        assert [one["role"] for one in each] == ["system", "user"]
        assert each[0]["content"].startswith("Add in style ")
        assert each[1]["content"].startswith("What is ")
    assert ran
    assert scored


def test_a_race_keeps_the_position_of_its_template(shell: Shell, home: Path, sums: ModelServer) -> None:
    (home / "sums.yaml").write_text(template(position="system"))
    words = ("--model", "test-model", "--base-url", sums.base_url, "--max-rounds", "2")
    assert shell("race", "sums.yaml", "--methods", "gpo,opro", *words).code in (0, 3)
    asked = said(sums, "adds")
    assert asked
    assert all([one["role"] for one in each] == ["system", "user"] for each in asked)


def test_fixed_messages_stand_around_prompt_and_question(shell: Shell, home: Path) -> None:
    around = (
        "messages:\n- {role: system, content: 'You work for Acme. {prompt}'}\n"
        "- {role: user, content: Hello}\n- {role: assistant, content: How can I help?}\n"
        "- {role: user, content: '{question} Thanks!'}\n"
    )
    path = write_template(home, TEMPLATE + around)
    with ModelServer(climbing) as server:
        words = (path, "--model", "test-model", "--base-url", server.base_url, "--max-rounds", "1")
        assert shell("run", *words).code in (0, 3)
        first = said(server)[0]
        assert first[0] == {"role": "system", "content": "You work for Acme. Answer the question."}
        assert [one["role"] for one in first[1:]] == ["user", "assistant", "user"]
        assert first[3]["content"].endswith("? Thanks!")
        both = shell("run", *words, "--name", "both", "--position", "system")
    assert both.code == 1
    assert "The template's `messages` say where the prompt stands" in both.err


CONVERSATION = """\
prompt: You are a support assistant.
position: system
requirements: Be helpful.
qa:
- question:
  - {role: user, content: Hi}
  - {role: assistant, content: 'Hello, what is it?'}
  - {role: user, content: My order is late.}
  turns: [It is number 7., Thank you.]
  answer: None
"""


def parrot(request: JsonObject) -> Scripted:
    if role_of(request) != "execute":
        reply = climbing(request)
        return reply if isinstance(reply, Scripted) else Scripted(reply)
    return Scripted(f"You said: {request['messages'][-1]['content']}")


def test_a_conversation_is_played_to_its_end_and_judged_as_a_whole(shell: Shell, home: Path) -> None:
    path = write_template(home, CONVERSATION)
    with ModelServer(parrot) as server:
        words = (path, "--model", "test-model", "--base-url", server.base_url, "--max-rounds", "2")
        assert shell("check", path).code == 0
        assert shell("run", *words, "--no-final-check").code in (0, 3)
        sent = [one.json for one in server.requests]
        asked = sorted((one["messages"] for one in sent if role_of(one) == "execute"), key=len)
        judged = [one for one in sent if role_of(one) == "judge"]
        bought = len(server.requests)
        assert [len(one) for one in asked] == [4, 4, 6, 6, 8, 8]
        assert [one["role"] for one in asked[-1]] == ["system", *["user", "assistant"] * 3, "user"]
        assert asked[-1][6]["content"] == "You said: It is number 7."
        assert shell("resume", "why").code == 3
        assert len(server.requests) == bought
    text = judged[0]["messages"][0]["content"]
    assert "User: Hi\n\nAssistant: Hello, what is it?\n\nUser: My order is late." in text
    whole = (
        "Assistant: You said: My order is late.\n\nUser: It is number 7.\n\n"
        "Assistant: You said: It is number 7.\n\nUser: Thank you.\n\nAssistant: You said: Thank you."
    )
    assert whole in text
    answers = json.loads((home / "data/workspace/why/prompts/results.json").read_text())
    assert answers[0]["answers"][0]["answer"] == whole
    assert answers[0]["answers"][0]["question"].startswith("User: Hi\n\n")


def test_the_last_answer_alone_is_judged_where_the_template_says_so(shell: Shell, home: Path) -> None:
    path = write_template(home, CONVERSATION + "judged_on: last_answer\n")
    with ModelServer(parrot) as server:
        words = (path, "--model", "test-model", "--base-url", server.base_url, "--max-rounds", "2")
        assert shell("run", *words, "--no-final-check").code in (0, 3)
        text = said(server, "judge")[0][0]["content"]
    assert "Question 1: Thank you.\nAnswer 1: You said: Thank you." in text
    assert "My order is late" not in text


def test_rows_may_be_conversations_and_metrics_mark_the_last_answer(
    shell: Shell, home: Path, sums: ModelServer
) -> None:
    lines = [
        {
            "messages": [
                {"role": "system", "content": "Reply in one line."},
                {"role": "user", "content": "Do you add?"},
                {"role": "assistant", "content": "I do."},
                {"role": "user", "content": f"What is {n} plus 1?"},
                {"role": "assistant", "content": str(n + 1)},
            ]
        }
        for n in range(12)
    ]
    (home / "rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    (home / "sums.yaml").write_text(template(position="system"))
    ended = shell("score", "sums.yaml", "--model", "test-model", "--base-url", sums.base_url)
    assert ended.code == 0
    for each in said(sums, "adds"):
        assert [one["role"] for one in each] == ["system", "user", "assistant", "user"]
        assert each[0]["content"] == "Add in style 0.\n\nReply in one line."


def test_without_system_messages_the_prompt_goes_into_the_first_turn(shell: Shell, home: Path) -> None:
    def gemma(request: JsonObject) -> Scripted:
        if any(one["role"] == "system" for one in request["messages"]):
            return faults.status(400, "System role not supported")(Scripted(""))
        return parrot(request)

    path = write_template(home, CONVERSATION)
    with ModelServer(gemma) as server:
        words = (path, "--model", "test-model", "--base-url", server.base_url, "--max-rounds", "2")
        ended = shell("run", *words, "--no-final-check")
        assert ended.code in (0, 3)
        taken = [one.json["messages"] for one in server.requests if one.json["messages"][0]["role"] == "user"]
    told = "takes no system message: its text goes into the first message of the user."
    assert (ended.out + ended.err).count(told) == 1
    executed = [one for one in taken if len(one) > 1]
    assert executed[0][0]["content"] == "You are a support assistant.\n\nHi"


@pytest.mark.parametrize(
    ("change", "place", "fault"),
    [
        ("role: user, content: My", "qa[1].question", ""),
        ("role: nobody, content: My", "qa[1].question", "Message 3 has the unknown role `nobody`"),
        ("position: sistem", "position", "Did you mean `system`?"),
        ("judged_on: all", "judged_on", "conversation, last_answer"),
        ("messages: [{role: user, content: x}]", "messages", "No message has `{prompt}`"),
        ("messages: [{role: system, content: '{prompt}'}]", "messages", "No message is the user's"),
        ("messages: hello", "messages", "should be a list of messages"),
    ],
)
def test_a_wrong_conversation_is_named_with_its_line(
    shell: Shell, home: Path, change: str, place: str, fault: str
) -> None:
    text = CONVERSATION
    if change.startswith("role:"):
        text = text.replace("role: user, content: My", change)
    elif change.startswith("position"):
        text = text.replace("position: system", change)
    else:
        text = text.replace("position: system\n", "") + change + "\n"
    ended = shell("check", write_template(home, text))
    assert (ended.code == 0) == (not fault)
    if fault:
        assert fault in ended.out
        assert f": {place}: " in ended.out


AGENT = """\
prompt: Add in style 0. Call the tool.
position: system
requirements: The right call.
tools:
- name: add
  description: Adds two numbers.
  parameters: {type: object, properties: {one: {type: integer}, other: {type: integer}}}
metric: {name: tool_call}
models:
  executor: {body: {top_p: 0.5, seed: 7, stop: ["END"]}, headers: {X-Team: search}, query: {region: eu}}
data: rows.jsonl
"""


def calling(request: JsonObject) -> Scripted:
    one, other = (int(word) for word in request["messages"][-1]["content"].split() if word.isdecimal())
    called = {"name": "add", "arguments": json.dumps({"other": other, "one": one})}
    message = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": called}]}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    return Scripted(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def test_tools_and_options_go_with_every_call_of_the_executor_and_calls_are_marked(
    shell: Shell, home: Path
) -> None:
    lines = [
        {
            "question": f"add {n} and {n % 7}",
            "answer": json.dumps([{"name": "add", "arguments": {"one": n, "other": n % 7}}]),
        }
        for n in range(12)
    ]
    (home / "rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    (home / "agent.yaml").write_text(AGENT)
    with ModelServer(calling) as server:
        words = ("agent.yaml", "--model", "test-model", "--base-url", server.base_url)
        ended = shell("score", *words)
        sent = [one.json for one in server.requests]
        paths = {one.target for one in server.requests}
        named = {one.headers.get("x-team") for one in server.requests}
        again = shell("score", *words)
        assert len(server.requests) == len(sent)
        other = shell("score", *words, "--exec-body", '{"top_p": 0.6}')
        assert len(server.requests) == 2 * len(sent)
    assert ended.out.startswith("seed: 100.0"), ended
    assert again.out == ended.out
    assert other.out.splitlines()[0] == ended.out.splitlines()[0]  # below, how long its own answers took
    assert named == {"search"}
    assert paths == {"/v1/chat/completions?region=eu"}
    for one in sent:
        assert [tool["function"]["name"] for tool in one["tools"]] == ["add"]
        assert (one["top_p"], one["seed"], one["stop"]) == (0.5, 7, ["END"])


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("top_p: 0.5", "messages: []", "must not set messages, which spotui sets itself"),
        ("X-Team: search", "X-Api-Key: s3cret", "must not hold a key"),
        ("- name: add", "- title: add", "Tool 1 has no name."),
        ("metric: {name: tool_call}", "metric: {name: schema}", "The metric schema needs `schema`."),
        (
            "data: rows.jsonl",
            "data: rows.jsonl\nresponse_format: yes",
            "`response_format` should be a JSON schema.",
        ),
    ],
)
def test_wrong_tools_and_options_are_refused_with_what_to_do(
    shell: Shell, home: Path, before: str, after: str, fault: str
) -> None:
    (home / "rows.jsonl").write_text(rows(12))
    assert before in AGENT
    (home / "agent.yaml").write_text(AGENT.replace(before, after))
    ended = shell("check", "agent.yaml")
    assert ended.code == 1
    assert fault in ended.out + ended.err


def test_the_form_of_answers_is_left_out_where_it_is_not_taken(shell: Shell, home: Path) -> None:
    form = "response_format: {type: object, properties: {why: {type: string}}}\n"
    path = write_template(home, TEMPLATE + form)

    def plain_only(request: JsonObject) -> Scripted:
        if "response_format" in request:
            return faults.status(400, "This model does not support response_format json_schema.")(
                Scripted("")
            )
        return parrot(request)

    with ModelServer(plain_only) as server:
        words = (path, "--model", "test-model", "--base-url", server.base_url, "--max-rounds", "1")
        ended = shell("run", *words)
        first = server.requests[0].json["response_format"]
    assert first["json_schema"]["schema"]["properties"] == {"why": {"type": "string"}}
    assert (ended.out + ended.err).count("test-model does not take response_format: it is left out.") == 1


CAT = b"\x89PNG\r\n\x1a\n a cat"
PICTURES = """\
prompt: You describe pictures.
position: system
requirements: Say what there is.
qa:
- question: What is this?
  files: cat.png
- question:
  - role: user
    content:
    - {type: text, text: 'And these?'}
    - {type: image_url, image_url: {url: 'https://example.com/dog.jpg'}}
    - {type: file, file: {filename: notes.txt, file_data: 'data:text/plain;base64,aGVsbG8='}}
"""


def test_images_and_files_are_sent_by_content_and_shown_by_name(shell: Shell, home: Path) -> None:
    (home / "cat.png").write_bytes(CAT)
    path = write_template(home, PICTURES)

    def looking(request: JsonObject) -> Scripted:
        if role_of(request) == "execute":
            return Scripted("A picture.")
        reply = climbing(request)
        return reply if isinstance(reply, Scripted) else Scripted(reply)

    with ModelServer(looking) as server:
        words = (path, "--model", "test-model", "--base-url", server.base_url, "--max-rounds", "2")
        shell("run", *words, "--no-final-check")
        bought = len(server.requests)
        (home / "cat.png").unlink()
        shell("resume", "why", "--max-rounds", "3")
        assert len(server.requests) > bought
        asked = said(server)
    parts = {json.dumps(each[1]["content"]) for each in asked}
    assert len(parts) == 2
    cat, notes = (next(one for one in parts if name in one) for name in ("What is this?", "And these?"))
    url = "data:image/png;base64," + base64.b64encode(CAT).decode()
    assert json.loads(cat) == [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "What is this?"},
    ]
    assert [one["type"] for one in json.loads(notes)] == ["image_url", "file", "text"]
    assert json.loads(notes)[1]["file"]["file_data"] == "data:text/plain;base64,aGVsbG8="
    project = home / "data" / "workspace" / "why"
    assert b"base64" not in (project / "journal.jsonl").read_bytes()
    shown = json.loads((project / "prompts" / "results.json").read_text())[0]["answers"][0]["question"]
    assert shown == "[image: cat.png]\nWhat is this?"
    assert sorted(one.stat().st_size for one in (project / "files").iterdir())[:2] == [5, len(CAT)]


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("cat.png", "dog.png", "There is no file dog.png."),
        ("cat.png", "big.png", "big.png has 50 MB, and a model takes at most 20 MB."),
        ("cat.png", "cat", "The ending of cat does not say what kind of file it is."),
        ("cat.png", "../secret.png", "is outside the template's folder, and would be sent to a model."),
        ("https://example.com", "http://example.com", "is no https address."),
        ("dog.jpg", "dog.pdf", "is no image, and endpoints fetch images only."),
        ("base64,aGVsbG8=", "base64,###", "A data URL holds no file."),
    ],
)
def test_a_file_that_cannot_be_sent_is_named(
    shell: Shell, home: Path, before: str, after: str, fault: str
) -> None:
    folder = home / "mine"
    folder.mkdir()
    for name in ("mine/cat.png", "mine/cat", "secret.png"):
        (home / name).write_bytes(CAT)
    with (folder / "big.png").open("wb") as file:
        file.truncate(50_000_000)
    assert before in PICTURES
    path = write_template(folder, PICTURES.replace(before, after))
    ended, checked = shell("run", path, "--model", "test-model"), shell("check", path)
    assert (ended.code, checked.code) == (1, 1)
    assert fault in ended.err
    assert fault in checked.out
