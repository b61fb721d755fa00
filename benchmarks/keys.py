"""Keys typed as fast as they come on a busy run: `python -m benchmarks.keys` counts those that go astray.

Each sequence opens a palette, a dialog or a screen, uses it and closes it again, all in one burst, while the
run streams and the event loop has hardly a moment. A sequence is wrong if the run hears another command than
it should, or if a key has changed anything else.
"""

import argparse
import tempfile
from pathlib import Path

from tests.tui.test_keys_on_a_busy_run import misdirected


def main() -> None:
    """Print the count, and every sequence that was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=200)
    count = parser.parse_args().sequences
    with tempfile.TemporaryDirectory(prefix="k-") as folder:
        wrong = misdirected(Path(folder), count)
    for text in wrong:
        print(text)
    print(f"{len(wrong)} of {count} key sequences reached what lies beneath.")


if __name__ == "__main__":
    main()
