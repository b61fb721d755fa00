"""Measures `spotui serve` in a headless Chromium: the time to the first text, and from a key to its repaint.

    python -m benchmarks.serve [--times 7]

The server has run for a while, as it usually has; the browser is new each time, without a cache or a cookie.
Goal: the first text within 1.5 s of the address on loopback.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tests.command_line import begin, places
from tests.serve.chromium import Window, missing, window
from tests.tui.piloting import workspace_in

GOAL_SECONDS = 1.5


def first_paint(browser: Window, address: str) -> float:
    """Seconds from the start of the navigation until the app's first text has come to the terminal."""
    browser.driver.get(address)
    browser.until("Projects")
    return float(browser.driver.execute_script("return window.firstText")) / 1000


def key(browser: Window) -> float:
    """Seconds from a key to the bytes that repaint."""
    return float(browser.driver.execute_async_script(KEY)) / 1000


KEY = """
const done = arguments[0], socket = window.sockets.at(-1);
const began = performance.now();
socket.addEventListener("message", () => done(performance.now() - began), {once: true});
socket.send(JSON.stringify(["stdin", "\\t"]));
"""


def main() -> None:
    """Print the medians and the worst of several new browsers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=7)
    times = parser.parse_args().times
    if why := missing():
        raise SystemExit(why)
    paints: list[float] = []
    keys: list[float] = []
    with tempfile.TemporaryDirectory(prefix="s-") as folder:
        workspace_in(Path(folder))
        server = begin("serve", "--port", "0", env=places(Path(folder)))
        assert server.stdout is not None
        line = server.stdout.readline().decode()
        address = Path(line.rstrip(".\n").rpartition(" is in ")[2]).read_text().strip()
        try:
            for number in range(times):
                with window(Path(folder) / f"profile-{number}") as browser:
                    paints.append(first_paint(browser, address))
                    time.sleep(1.0)
                    keys += [key(browser) for _ in range(10)]
        finally:
            server.terminate()
            server.wait()
    text, repaint = statistics.median(paints), statistics.median(keys)
    print(f"first text      median {text:.2f} s, worst {max(paints):.2f} s; goal {GOAL_SECONDS} s")
    print(f"key to repaint  median {repaint * 1000:.0f} ms, worst {max(keys) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
