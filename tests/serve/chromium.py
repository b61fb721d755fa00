"""A real headless Chromium, from Debian's packages, driven by Selenium."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyte

from tests.terminal import PATIENCE_SECONDS, UNKNOWN_TO_PYTE

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--window-size=1200,800"),
)
RECORDER = """
(() => {
  const Real = window.WebSocket;
  window.painted = ""; window.sockets = []; window.copied = [];
  window.WebSocket = class extends Real {
    constructor(url) {
      super(url);
      window.sockets.push(this);
      this.addEventListener("message", (event) => {
        if (typeof event.data === "string") return;
        const text = String.fromCharCode(...new Uint8Array(event.data));
        if (text.length > 1000) {
          const painted = () => { window.firstText ??= performance.now(); };
          requestAnimationFrame(() => requestAnimationFrame(painted));
        }
        window.painted += text;
      });
    }
  };
  Object.assign(window.WebSocket, {OPEN: 1});
})();
"""
"""Keeps what the app paints, since a terminal that draws on a canvas has no text to read."""


def missing() -> str:
    """Why there is no browser to test with; empty when there is one."""
    try:
        import selenium  # noqa: F401 - whether it is there
    except ImportError:
        return "selenium is not installed"
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        return "chromium or chromedriver is not installed (Debian: apt-get install chromium chromium-driver)"
    return ""


class Window:
    """A window of the browser, and what a person would see in it.

    Attributes:
        driver: Selenium's.
    """

    def __init__(self, driver: "Chrome", columns: int = 300, rows: int = 100) -> None:
        self.driver = driver
        self._size = columns, rows
        self.clear()
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": RECORDER})

    @property
    def text(self) -> str:
        """What the terminal shows."""
        script = 'const new_ = window.painted || ""; window.painted = ""; return new_'
        data = str(self.driver.execute_script(script)).encode("latin-1")
        self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", data))
        return "\n".join(line.rstrip() for line in self._screen.display)

    def clear(self) -> None:
        """Forget what the terminal has shown."""
        self._screen = pyte.Screen(*self._size)
        self._stream = pyte.ByteStream(self._screen)

    def until(self, *texts: str) -> None:
        """Wait until every text is on the terminal."""
        self.wait(lambda: all(text in self.text for text in texts), f"{texts} on\n{{text}}")

    def wait(self, holds: object, what: str) -> None:
        """Wait until something holds."""
        from selenium.common.exceptions import TimeoutException
        from selenium.webdriver.support.wait import WebDriverWait

        assert callable(holds)
        try:
            WebDriverWait(self.driver, PATIENCE_SECONDS, 0.1).until(lambda _driver: holds())
        except TimeoutException:
            raise AssertionError(what.replace("{text}", self.text)) from None

    def press(self, *keys: str) -> None:
        """Type into whatever has focus."""
        from selenium.webdriver.common.action_chains import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def shown(self, selector: str) -> str:
        """The text of an element of the page; empty when it is hidden."""
        script = (
            "const found = document.querySelector(arguments[0]);"
            "return found && found.checkVisibility() ? found.innerText : ''"
        )
        return str(self.driver.execute_script(script, selector))


@contextmanager
def window(profile: Path) -> Iterator[Window]:
    """A browser that has never been here.

    Args:
        profile: An empty folder for it.
    """
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver") or ""))
    try:
        yield Window(driver)
    finally:
        driver.quit()
