"""The child process that serves one GGUF file; started by `LocalServer`, through child.py.

Its settings come as JSON in the environment, so that the key is on no command line. Its first and only line
of output is the address it listens on; everything the runtime prints goes to standard error.
"""

import json
import os
import sys
import threading
from pathlib import Path

SETTINGS = "SPOTUI_LOCAL_SERVER"

# Enough for the slots' own prompts; the runtime's default keeps growing to gigabytes.
_PROMPT_CACHE_MIB = 64
_LOG_WARNINGS = 2

# Tokens of a text that is embedded; it is read in one go, and room for it is taken at the start.
_LONGEST_EMBEDDED = 2048

# A model's own keys come first in its file, before those of its vocabulary.
_HEAD_BYTES = 65_536


def _keep_threads_from_spinning() -> None:
    # By default idle workers burn their core for milliseconds at every barrier. With anything else running
    # that costs up to half of the speed; a short spin costs nothing on an idle machine.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "2000")


def _has_pooling(model: str) -> bool:
    """Whether a model says how the vectors of its tokens become one; a model for chat does not."""
    with Path(model).open("rb") as file:
        return b".pooling_type" in file.read(_HEAD_BYTES)


def main() -> None:
    """Serve until killed."""
    settings = json.loads(os.environ.pop(SETTINGS))
    ready = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    _keep_threads_from_spinning()

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.n_parallel = settings["slots"]
    params.n_ctx = settings["context"]
    params.kv_unified = True
    params.fit_params = False
    params.warmup = False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.reuse_port = False
    params.api_keys = [settings["api_key"]]
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.endpoint_slots = False
    params.ui = False
    params.verbosity = _LOG_WARNINGS
    if settings["embeds"]:
        params.embedding = True
        params.n_batch = params.n_ubatch = _LONGEST_EMBEDDED
        if not _has_pooling(settings["model"]):
            params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        # llama.cpp has said more above; a traceback would only push it out of sight.
        sys.exit(str(error))
    with ready:
        ready.write(f"{server.listening_address}\n")
    threading.Event().wait()


if __name__ == "__main__":
    main()
