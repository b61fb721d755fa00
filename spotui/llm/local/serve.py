"""The child process that serves one GGUF file; started by `LocalServer`, through child.py.

Its settings come as JSON in the environment, so that the key is on no command line. Its first and only line
of output is the address it listens on; everything the runtime prints goes to standard error.
"""

import json
import os
import sys
import threading

SETTINGS = "SPOTUI_LOCAL_SERVER"

# Enough for the slots' own prompts; the runtime's default keeps growing to gigabytes.
_PROMPT_CACHE_MIB = 64
_LOG_WARNINGS = 2


def _keep_threads_from_spinning() -> None:
    # By default idle workers burn their core for milliseconds at every barrier. With anything else running
    # that costs up to half of the speed; a short spin costs nothing on an idle machine.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "2000")


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
