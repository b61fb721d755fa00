"""`spotui serve`: what it refuses to begin with, and where it says the app is."""

import json
import signal
import stat
import urllib.request
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

from tests.command_line import begin, move_in, places, type_in

TOKEN = "the-token-of-this-test"


def test_what_cannot_be_served_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    move_in(monkeypatch, tmp_path)
    said = type_in(capsys, "serve", "--host", "0.0.0.0")  # noqa: S104 - it is refused
    assert said.code == 2
    assert "Other machines can reach 0.0.0.0." in said.err
    assert "the connection is not encrypted. Add --expose" in said.err
    assert "ssh -L 8000:127.0.0.1:8000" in said.err
    for words, code, text in (
        (("--port", "70000"), 2, "70000 is not a port."),
        (("--public-url", "prompts"), 2, "--public-url prompts is not the address of a web page."),
        (("--host", "203.0.113.9", "--expose", "--port", "0"), 1, "203.0.113.9:0 cannot be used:"),
        (("--token-file", str(tmp_path)), 1, "cannot be read"),
    ):
        said = type_in(capsys, "serve", *words)
        assert (said.code, text in said.err) == (code, True), said.err
    monkeypatch.setattr(PathFinder, "find_spec", without_textual_serve(PathFinder.find_spec))
    said = type_in(capsys, "serve")
    assert said.code == 1
    assert "Install it with `pip install 'spotui[serve]'`." in said.err


def without_textual_serve(find_spec: object) -> object:
    assert callable(find_spec)
    return lambda name, *rest: None if name == "textual_serve" else find_spec(name, *rest)


@pytest.mark.parametrize("is_given", [False, True])
def test_the_token_is_in_a_private_file_and_never_in_the_output(tmp_path: Path, *, is_given: bool) -> None:
    env = places(tmp_path, **({"SPOTUI_SERVE_TOKEN": TOKEN} if is_given else {}))
    server = begin("serve", "--port", "0", "--read-only", env=env)
    assert server.stdout is not None
    line = server.stdout.readline().decode()
    if is_given:
        address, token = line.split()[3], TOKEN
    else:
        file = Path(line.rstrip(".\n").rpartition(" is in ")[2])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        address, _, token = file.read_text().strip().partition("#")
    headers = {"Authorization": f"Bearer {token}", "Origin": address.rstrip("/")}
    request = urllib.request.Request(f"{address}session", method="POST", headers=headers)  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - of this machine
        assert answer.status == 204
    with urllib.request.urlopen(address) as answer:  # noqa: S310
        page = answer.read().decode()
    assert json.loads(page.split('type="application/json">')[1].split("</script>")[0])["badge"] == "read-only"
    server.send_signal(signal.SIGINT)
    out, err = server.communicate()
    assert (server.returncode, err) == (0, b"")
    assert token not in line + out.decode() + page
    assert b"Stopped. Runs continue" in out
    assert is_given or not file.exists()
