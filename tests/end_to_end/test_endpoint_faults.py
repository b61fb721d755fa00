"""What an endpoint can do wrong. Whether it does so once or for good: a clear end, and nothing lost."""

import socket
from pathlib import Path

import pytest

from spotui.cli import exit_codes
from tests.end_to_end.aftermath import (
    check_that_only_answers_were_judged,
    history,
    journalled,
    results,
)
from tests.end_to_end.conftest import KEY, Shell
from tests.model_server import JsonObject, ModelServer, faults
from tests.model_server.faults import Fault
from tests.spo_model import climbing, role_of

PERMANENT = {
    "an unknown model": (
        faults.status(404, "The model `m` does not exist", code="model_not_found"),
        ["m", "does not exist", "HTTP 404"],
    ),
    "a wrong key": (faults.status(401, "Incorrect API key provided"), ["key", "HTTP 401"]),
    "no permission": (faults.status(403, "Not for you"), ["HTTP 403"]),
    "a quota that is used up": (
        faults.status(429, "You exceeded your current quota", code="insufficient_quota"),
        ["quota"],
    ),
}

OF_ONE_QUESTION = {
    "a request that is too long": (
        faults.status(400, "maximum context length is 8 tokens", code="context_length_exceeded"),
        ["context"],
    ),
    "a bad request": (faults.status(400, "No such thing"), ["HTTP 400", "No such thing"]),
    "a content filter": (faults.status(400, "Not this", code="content_filter"), ["HTTP 400", "Not this"]),
}

PASSING = {
    "too many requests": (faults.status(429, "Slow down"), ["HTTP 429"]),
    "too many requests, with a time to wait": (
        faults.status(429, "Slow down", headers={"Retry-After": "0.05"}),
        ["HTTP 429"],
    ),
    "an error inside": (faults.status(500, "Oops"), ["HTTP 500"]),
    "overloaded": (faults.status(503, "Busy"), ["HTTP 503"]),
    "a reset": (faults.reset(), ["was reset"]),
    "a reset in the middle": (faults.reset(frames=2), ["was reset"]),
    "no reply in time": (faults.hang(), ["0.3 s"]),
    "no more in time": (faults.hang(frames=2), ["0.3 s"]),
    "a web page": (faults.html(), ["web page"]),
    "an error page": (faults.html(502), ["HTTP 502"]),
    "half a stream": (faults.truncated(), ["broke off"]),
    "an error in the stream": (faults.stream_error("Overloaded"), ["Overloaded"]),
}


def words(template: str, server: ModelServer, *more: str) -> tuple[str, ...]:
    return (
        *(
            "run",
            template,
            "--model",
            "m",
            "--base-url",
            server.base_url,
            "--max-rounds",
            "2",
            "--no-final-check",
        ),
        *("--tries", "2", "--timeout", "0.3", *more),
    )


def second_answer_of_round_2(fault: Fault, *, times: int | None = None) -> faults.FaultPlan:
    def is_it(request: JsonObject) -> bool:
        text = str(request["messages"])
        return role_of(request) == "execute" and "style 1" in text and "leaves fall" in text

    return faults.when(is_it, fault, times=times)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[JsonObject]:
    """What results.json says after a run in which nothing goes wrong."""
    from spotui.cli import main
    from tests.command_line import move_in, write_template

    folder = tmp_path_factory.mktemp("undisturbed")
    with ModelServer(climbing) as server, pytest.MonkeyPatch.context() as patch:
        move_in(patch, folder, OPENAI_API_KEY=KEY)
        assert main(words(write_template(folder), server)) == exit_codes.OK
    return results(folder)


@pytest.mark.parametrize("kind", [*PERMANENT, *PASSING])
def test_a_fault_that_stays_ends_the_run_clearly_and_a_resume_loses_and_repeats_nothing(
    shell: Shell, template: str, home: Path, kind: str, undisturbed: list[JsonObject]
) -> None:
    fault, told = (PERMANENT | PASSING)[kind]
    is_limit = "too many requests" in kind  # which uses up no tries
    with ModelServer(climbing, faults=second_answer_of_round_2(fault)) as server:
        said = shell(*words(template, server, *(("--retry-seconds", "1") if is_limit else ())))
        assert said.code == exit_codes.CALL_FAILED
        for part in told:
            assert part in said.err
        assert "Traceback" not in said.err
        assert "spotui resume why" in said.out
        struck = [
            one for one in server.requests if "leaves fall" in str(one.json) and "style 1" in str(one.json)
        ]
        tries = len([one for one in struck if role_of(one.json) == "execute"])
        assert tries == (1 if kind in PERMANENT else 2) or (is_limit and 2 < tries < 12)
        assert not any(role_of(one.json) == "judge" for one in server.requests)
        assert [one.round for one in history(home).rounds] == [1]
        assert results(home) == undisturbed[:1]
        kept, asked = journalled(home), len(server.requests)

    with ModelServer(climbing, port=int(server.base_url.rpartition(":")[2].removesuffix("/v1"))) as healed:
        assert shell("resume", "why").code == exit_codes.OK
        check_that_only_answers_were_judged_in_both(server, healed)
    assert results(home) == undisturbed
    again = {str(one.json["messages"][0]["content"]) for one in healed.requests}
    assert not again & set(kept)
    assert asked + len(healed.requests) <= 11 + 1 + 4 + (8 if is_limit else 0)


@pytest.mark.parametrize("kind", OF_ONE_QUESTION)
def test_a_fault_of_one_question_leaves_it_out_and_the_run_goes_on(
    shell: Shell, template: str, home: Path, kind: str
) -> None:
    fault, told = OF_ONE_QUESTION[kind]
    with ModelServer(climbing, faults=second_answer_of_round_2(fault)) as server:
        said = shell(*words(template, server))
        judged = [str(one.json) for one in server.requests if role_of(one.json) == "judge"]
        assert judged
        assert not any("leaves fall" in one for one in judged)
    assert said.code == exit_codes.OK
    assert "Traceback" not in said.err
    for part in (*told, "The question is left out of the comparison"):
        assert part in said.out + said.err
    line = history(home).round(2)
    assert line is not None
    assert [bool(one.error) for one in line.answers] == [False, True, False]


def check_that_only_answers_were_judged_in_both(before: ModelServer, after: ModelServer) -> None:
    after.log.requests[:0] = before.requests
    check_that_only_answers_were_judged(after)
    del after.log.requests[: len(before.requests)]


@pytest.mark.parametrize("kind", PASSING)
def test_a_fault_that_passes_leaves_no_trace_in_the_results(
    shell: Shell, template: str, home: Path, kind: str, undisturbed: list[JsonObject]
) -> None:
    fault, _ = PASSING[kind]
    with ModelServer(climbing, faults=second_answer_of_round_2(fault, times=1)) as server:
        said = shell(*words(template, server))
        check_that_only_answers_were_judged(server)
    assert (said.code, results(home)) == (exit_codes.OK, undisturbed)
    assert "Try 2 in " in said.out
    assert "Traceback" not in said.err


def test_an_endpoint_that_is_down_is_told_with_its_address(shell: Shell, template: str, home: Path) -> None:
    with socket.socket() as taken:  # bound but not listening: nobody else gets the port meanwhile
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        said = shell("run", template, "--model", "m", "--base-url", url, "--tries", "2")
    assert said.code == exit_codes.CALL_FAILED
    assert f"Cannot reach m at {url}: the connection was refused." in said.err
    assert "Start the server" in said.err
    assert history(home).rounds == ()


def test_a_server_s_wish_to_wait_is_honoured_and_told(shell: Shell, template: str) -> None:
    wait = faults.status(429, "Slow down", headers={"Retry-After": "1"})
    with ModelServer(climbing, faults=second_answer_of_round_2(wait, times=1)) as server:
        said = shell(*words(template, server))
        first, second = (
            one.received_at
            for one in server.requests
            if role_of(one.json) == "execute"
            and "leaves fall" in str(one.json)
            and "style 1" in str(one.json)
        )
    assert said.code == exit_codes.OK
    assert second - first >= 1.0
    assert "Try 2 in 1." in said.out
