"""litellm itself: imported once a process in a thread, kept quiet, closed when its last user leaves."""

import asyncio
import contextlib
import logging
import os
import sys
import threading
from concurrent.futures import Future
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

from spotui.llm.providers.litellm_bodies import bound_httpx

_ENVIRONMENT: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it fetches its price table while it is imported
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",  # else the first call to Anthropic fetches a list
    "LITELLM_MODE": "PRODUCTION",  # else it loads a .env file
}
_SETTLING_SECONDS: Final = 0.3

_guard: Final = threading.Lock()
_import: "Future[Any] | None" = None
_users: Final["WeakSet[object]"] = WeakSet()


async def join(user: object) -> Any:
    """litellm's module; the first call in a process imports it, which takes seconds but not the event loop.

    Args:
        user: Who uses it, until `leave`; its connections stay open as long as anyone does.

    Raises:
        ImportError: It cannot be imported.
    """
    module = await asyncio.wrap_future(_imported())
    _users.add(user)
    return module


async def leave(user: object) -> None:
    """Close litellm's connections and end its tasks, if nobody else uses it; safe to call twice."""
    if user not in _users:
        return
    _users.discard(user)
    if _users:
        return
    module = await asyncio.wrap_future(_imported())
    package = Path(module.__file__).parent
    await _settle({task for task in asyncio.all_tasks() if _runs_code_of(package, task)})
    await module.close_litellm_async_clients()
    # Some providers share a client that this forgets.
    if "module_level_aclient" in vars(module):
        await module.module_level_aclient.close()
    before = asyncio.all_tasks()
    # It would hand the closed clients out again. As it lets go of them, they close once more.
    vars(module).pop("module_level_aclient", None)
    module.in_memory_llm_clients_cache.flush_cache()
    await _settle(asyncio.all_tasks() - before)


def _imported() -> "Future[Any]":
    global _import  # noqa: PLW0603 - a process imports a module once: this is that process's one
    with _guard:
        if _import is None or (_import.done() and _import.exception()):
            _import = Future()
            _import.set_running_or_notify_cancel()
            # Not the event loop's own threads: leaving a loop waits for those, and a run must end at once.
            threading.Thread(target=_fulfil, args=(_import,), name="import litellm", daemon=True).start()
        return _import


def _fulfil(promise: "Future[Any]") -> None:
    try:
        promise.set_result(_import_quietly())
    except BaseException as error:  # noqa: BLE001 - whoever waits gets it, whatever it is
        promise.set_exception(error)


def _import_quietly() -> Any:
    is_ours = "litellm" not in sys.modules
    vocabulary = os.environ.get("TIKTOKEN_CACHE_DIR")
    os.environ.update(_ENVIRONMENT)
    try:
        module: Any = import_module("litellm")
    except Exception as error:
        raise ImportError(f"{type(error).__name__}: {error}") from error
    finally:
        if vocabulary is None:
            os.environ.pop("TIKTOKEN_CACHE_DIR", None)
        else:
            os.environ["TIKTOKEN_CACHE_DIR"] = vocabulary
    _silence_loggers()
    bound_httpx()
    module.suppress_debug_info = True
    module.disable_hf_tokenizer_download = True
    if is_ours:
        # For embeddings it takes a limit of 0 tries as none given, and uses this.
        module.DEFAULT_MAX_RETRIES = 0
        # It counts every prompt, with 40 MB of vocabulary or one from a hub, and nobody reads the count.
        module.disable_token_counter = True
        _warm_up(module)
    return module


def _silence_loggers() -> None:
    """Pass its log records on to the program's own handlers, masked as before; without any, to nobody."""
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.lower().startswith("litellm"):
            for handler in logger.handlers[:]:
                for mask in handler.filters:
                    logger.addFilter(mask)
                logger.removeHandler(handler)
            logger.addHandler(logging.NullHandler())
            logger.propagate = True


def _warm_up(module: Any) -> None:
    """Import here what the first call would import on the event loop, half a second of it."""
    with contextlib.suppress(Exception):
        import_module("openai.resources.chat")
        import_module("litellm.llms.openai.openai")
        messages = [{"role": "user", "content": ""}]
        for _ in module.completion(model="gpt-4o", messages=messages, mock_response="-", stream=True):
            pass


async def _settle(left: "set[asyncio.Task[Any]]") -> None:
    """Let tasks that were left behind finish, and end those that do not."""
    if left:
        _, stuck = await asyncio.wait(left, timeout=_SETTLING_SECONDS)
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)


def _runs_code_of(package: Path, task: "asyncio.Task[Any]") -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and package in Path(code.co_filename).parents
