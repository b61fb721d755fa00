"""The app in a real headless Chromium: keys, a run to its end, a lost connection, a wrong token."""

from pathlib import Path

import pytest

from tests.command_line import TEMPLATE, begin, places, write_template
from tests.model_server import ModelServer
from tests.serve.chromium import Window, missing, window
from tests.spo_model import climbing
from tests.tui.piloting import workspace_in

pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Selenium leaves pipes to the collector
]

ENTER, TAB, ESCAPE = "\ue007", "\ue004", "\ue00c"


def test_a_person_comes_works_is_cut_off_and_leaves(tmp_path: Path) -> None:
    with ModelServer(climbing, delay=0.1) as model:
        env = places(tmp_path, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=model.base_url)
        env |= dict.fromkeys(("SPOTUI_OPT_MODEL", "SPOTUI_EVAL_MODEL", "SPOTUI_EXEC_MODEL"), "test-model")
        workspace_in(tmp_path)
        templates = tmp_path / "data" / "templates"
        templates.mkdir(parents=True)
        write_template(templates, TEMPLATE)
        serving = begin("serve", "--port", "0", env=env)
        assert serving.stdout is not None
        line = serving.stdout.readline().decode()
        address = Path(line.rstrip(".\n").rpartition(" is in ")[2]).read_text().strip()
        page, _, token = address.partition("#")
        try:
            with window(tmp_path / "profile") as browser:
                wrong_token(browser, page)
                work(browser, address)
                return_after_a_cut(browser)
                leave(browser)
                shown = browser.driver.page_source + browser.driver.current_url
                logged = str(browser.driver.get_log("browser"))  # type: ignore[no-untyped-call]
                assert token not in shown + logged
                assert "sk-the-key" not in shown + logged + browser.text
                assert "Refused" not in logged  # nothing was asked of another host
        finally:
            serving.terminate()
            out, err = serving.communicate()
    assert serving.returncode == 0
    assert token not in (out + err).decode()
    assert b"Stopped. Runs continue" in out


def wrong_token(browser: Window, page: str) -> None:
    """A sentence, and no terminal."""
    browser.driver.get(f"{page}#a-token-that-is-wrong")
    browser.wait(lambda: browser.shown("#sign-in .fault"), "no sentence about the token")
    assert browser.shown("#sign-in .fault").startswith("The token is wrong.")
    assert not browser.driver.execute_script("return window.sockets.length")


def work(browser: Window, address: str) -> None:
    """A run from the template to its end, with keys alone."""
    browser.driver.get("about:blank")
    browser.driver.get(address)
    browser.until("Projects", "why")
    assert "#" not in browser.driver.current_url
    assert browser.driver.execute_script("return document.querySelectorAll('canvas').length") > 0
    browser.press(TAB, ENTER)
    browser.until("Expected:")
    browser.press(ENTER)
    browser.until("space pause")


def return_after_a_cut(browser: Window) -> None:
    """The connection is lost in the middle of the run; the page returns by itself, and so does a new page."""
    script = "return window.sockets.length"
    before = browser.driver.execute_script(script)
    browser.clear()
    browser.driver.execute_script("window.painted = ''; window.sockets.at(-1).close()")
    browser.wait(lambda: browser.driver.execute_script(script) > before, "no second connection")
    browser.until("why", "Best")
    browser.until("Stopped: finished")
    browser.clear()
    browser.driver.refresh()
    browser.until("Stopped: finished")
    browser.press(ESCAPE)
    browser.until("Projects", "finished")


def leave(browser: Window) -> None:
    """The app ends; the page says so, and opens it again."""
    browser.press("q")
    browser.wait(lambda: browser.shown("#message h1"), "no word about the end")
    assert browser.shown("#message h1") == "You have left spotui"
    browser.clear()
    browser.press(ENTER)
    browser.until("Projects", "finished")
