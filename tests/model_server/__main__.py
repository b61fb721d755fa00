"""`python -m tests.model_server`: runs until it is told to stop, and prints its base URL first."""

import argparse
import signal
import sys
from importlib import import_module
from pathlib import Path

from tests.model_server.batches import Batching
from tests.model_server.server import ModelServer, hashed_reply


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.model_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 for a free one")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before the first byte of a reply")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two pieces of a reply")
    parser.add_argument("--chunks", type=int, default=20, help="pieces of a reply")
    parser.add_argument("--log", type=Path, help="a file for what is asked and answered, as JSON lines")
    parser.add_argument("--api-key", help="the only key accepted")
    parser.add_argument("--batch-seconds", type=float, default=0.0, help="from taking a batch to its end")
    parser.add_argument("--batch-taking", type=float, default=0.0, help="seconds to say that it is taken")
    parser.add_argument("--reply", help="package.module:function, in place of a reply by hash")
    arguments = parser.parse_args()
    reply = hashed_reply
    if arguments.reply:
        module, _, name = arguments.reply.partition(":")
        reply = getattr(import_module(module), name)
    stop = {signal.SIGTERM, signal.SIGINT}
    # Blocked before the server's thread starts, so that the signal reaches this one.
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    with ModelServer(
        reply,
        delay=arguments.delay,
        pause=arguments.pause,
        chunks=arguments.chunks,
        api_key=arguments.api_key,
        port=arguments.port,
        log=arguments.log,
        batching=Batching(seconds=arguments.batch_seconds, taking=arguments.batch_taking),
    ) as server:
        sys.stdout.write(server.base_url + "\n")
        sys.stdout.flush()
        signal.sigwait(stop)


if __name__ == "__main__":
    main()
