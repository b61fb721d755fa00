"""A loopback endpoint by which an optimizer of another package asks our models and scores our rows.

The optimizer runs in a child process that is given an address on this machine and a random key, and nothing
else: no key of the user, no home, no file. Every call that it makes goes through the door of the run, so it
is counted, budgeted and journalled like our own, and found again when the run is resumed: answers by prompt
and row, everything else by the digest of the request and how often it was asked.
"""

import asyncio
import contextlib
import os
import secrets
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final

import msgspec

from spotui.domain.calls import Reply
from spotui.domain.messages import Message
from spotui.domain.records import CallKey
from spotui.domain.rows import SplitName
from spotui.engine.context import Context
from spotui.engine.propose import fold
from spotui.engine.score import Scorer
from spotui.engine.task import RowOutcome
from spotui.lang import _
from spotui.llm.limits import Halted
from spotui.llm.protocol import RequestRefusedError, digest_of

if TYPE_CHECKING:
    from aiohttp import web

OPTIMIZER: Final = "optimizer"
"""The model of the endpoint; rows are answered by another route, which marks them, too."""

ADDRESS: Final = "SPOTUI_LOOPBACK_URL"
KEY: Final = "SPOTUI_LOOPBACK_KEY"
"""The variables of the child process."""

FILED: Final = 2
"""The round that all calls are filed under: which round is under way must not matter."""

PURPOSE: Final = "instruct"
"""The purpose of calls of the optimizer's model."""

_KEPT: Final = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")
"""Variables that Python needs to start; none of them holds a secret."""

_LONGEST_BODY: Final = 64 * 1024 * 1024
_SHOWN: Final = 600
_GRACE: Final = 5.0
_STRIDE: Final = 1_000_000


class Ended(msgspec.Struct, frozen=True):
    """The optimizer's process has ended.

    Attributes:
        prompt: The prompt that it ended with; empty when it failed.
        why: The last lines of what it complained of, when it failed.
    """

    prompt: str = ""
    why: str = ""


class Loopback:
    """An endpoint for one optimizer; made by `open_loopback`.

    Args:
        context: What calls are made with.
        scorer: Asks rows and marks the answers.
        task: The task, as the optimizer asks for it.
    """

    def __init__(self, context: Context, scorer: Scorer, task: Mapping[str, Any]) -> None:
        self._context = context
        self._scorer = scorer
        self._task = task
        self._secret = secrets.token_urlsafe(24)
        self._asked: Counter[str] = Counter()
        self._outcomes: dict[tuple[str, SplitName, int], RowOutcome] = {}
        self._asking: defaultdict[tuple[str, SplitName, int], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._told: set[str] = set()
        self._news: asyncio.Queue[str | Ended | BaseException] = asyncio.Queue()
        self._prompt = ""
        self._busy: set[asyncio.Task[Any]] = set()

    async def next(self) -> str | Ended:
        """The next prompt that was asked on every eval row, or how the optimizer ended.

        Raises:
            Halted: The run ends here.
        """
        news = await self._news.get()
        if isinstance(news, BaseException):
            raise news
        return news

    def knows(self, prompt: str) -> None:
        """Report no prompt like this one: it was scored before."""
        self._told.add(fold(prompt))
        self._file(prompt)

    async def settle(self) -> None:
        """Give the calls in flight some seconds: what they bring is paid for."""
        if self._busy:
            await asyncio.wait(self._busy, timeout=_GRACE)

    def application(self) -> "web.Application":
        """The routes of the endpoint."""
        from aiohttp import web

        app = web.Application(client_max_size=_LONGEST_BODY, middlewares=[self._guard])
        app.router.add_get("/task", self._tell_task)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_post("/answer", self._answer)
        app.router.add_post("/result", self._take_result)
        return app

    @asynccontextmanager
    async def child(self, module: str, address: str) -> AsyncIterator[None]:
        """While the optimizer's process works; it is killed at the end.

        Args:
            module: What it runs.
            address: Where the endpoint is.
        """
        with tempfile.TemporaryDirectory(prefix="spotui-", ignore_cleanup_errors=True) as home:
            env = {name: os.environ[name] for name in _KEPT if name in os.environ}
            env |= {ADDRESS: address, KEY: self._secret, "HOME": home, "TMPDIR": home, "PYTHONHASHSEED": "0"}
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", module),
                stdin=pipe,  # closed when this process ends, however it ends: then the child ends, too
                stdout=asyncio.subprocess.DEVNULL,
                stderr=pipe,
                env=env,
                cwd=home,
                start_new_session=True,
            )
            watching = asyncio.create_task(self._watch(process))
            try:
                yield
            finally:
                watching.cancel()
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await asyncio.wait([asyncio.create_task(process.wait())], timeout=_GRACE)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None  # noqa: S101 - it was asked for
        last = b""
        while chunk := await process.stderr.read(65536):
            last = (last + chunk)[-16384:]
        code = await process.wait()
        if code == 0 and self._prompt:
            self._news.put_nowait(Ended(self._prompt))
        else:
            lines = [line.strip() for line in last.decode("utf-8", "replace").splitlines() if line.strip()]
            why = lines[-1][:_SHOWN] if lines else _("It ended with exit code {code}.", code=code)
            self._news.put_nowait(Ended(why=why))

    def _is_ours(self, request: "web.Request") -> bool:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return compare_digest(given.encode(), self._secret.encode())

    @property
    def _guard(self) -> Any:
        from aiohttp import web

        @web.middleware
        async def guard(request: "web.Request", handler: Any) -> "web.StreamResponse":
            if not self._is_ours(request):
                return _refusal(401, "This endpoint belongs to a run of spotui.")
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - a coroutine always runs in one
            self._busy.add(task)
            try:
                found: web.StreamResponse = await handler(request)
            except RequestRefusedError as error:
                return _refusal(400, error.what)
            except (msgspec.ValidationError, msgspec.DecodeError, LookupError, ValueError) as error:
                return _refusal(400, str(error))
            except (Halted, Exception) as error:  # noqa: BLE001 - the run has to hear of it
                self._news.put_nowait(error)
                return _refusal(503, "The run ends here.")
            finally:
                self._busy.discard(task)
            return found

        return guard

    async def _tell_task(self, _request: "web.Request") -> "web.Response":
        return _json(self._task)

    async def _take_result(self, request: "web.Request") -> "web.Response":
        self._prompt = msgspec.json.decode(await request.read(), type=_Result).prompt
        return _json({})

    async def _answer(self, request: "web.Request") -> "web.Response":
        """Ask one row with a prompt, and mark the answer."""
        asked = msgspec.json.decode(await request.read(), type=_Asked)
        outcome = await self._outcome(asked.prompt, asked.split, asked.position)
        return _json({"answer": outcome.answer, "mark": outcome.mark, "note": outcome.note})

    async def _complete(self, request: "web.Request") -> "web.Response":
        """One or more replies of the optimizer's model, in the form of OpenAI's API."""
        body = msgspec.json.decode(await request.read(), type=_Completion)
        if body.model.rpartition("/")[2] != OPTIMIZER:
            raise LookupError(f"The only model here is {OPTIMIZER!r}.")
        messages = [Message(one.role, one.text) for one in body.messages]
        asker = self._context.asker
        wanted = asker.request("optimizer", messages, temperature=body.temperature)
        digest = digest_of(wanted)
        first = self._asked[digest]
        self._asked[digest] += max(1, body.n)
        index = _number(digest)
        replies = [
            await asker.ask(
                CallKey(FILED, PURPOSE, index, first + number), wanted, "optimizer", may_be_refused=True
            )
            for number in range(1, max(1, body.n) + 1)
        ]
        return _json(_completion(body.model, replies))

    async def _outcome(self, prompt: str, split: SplitName, position: int) -> RowOutcome:
        rows = self._scorer.splits.of(split)
        if split == "test" or not 0 <= position < rows.size:
            raise LookupError("There is no such train or eval row.")
        way = fold(prompt)
        key = (way, split, position)
        async with self._asking[key]:  # the same row twice at once is bought once
            if key not in self._outcomes:
                self._file(prompt)
                (found,) = await self._scorer.outcomes(FILED, prompt, rows.at([position]), tells=False)
                self._outcomes[key] = found
        whole = all((way, "eval", one) in self._outcomes for one in self._scorer.splits.eval.positions)
        if whole and way not in self._told:
            self._told.add(way)
            self._news.put_nowait(prompt)
        return self._outcomes[key]

    def _file(self, prompt: str) -> None:
        """Settle where the prompt's calls are filed by its text, as the order of prompts is unknown."""
        first = _number(blake2b(fold(prompt).encode("utf-8", "replace"), digest_size=16).hexdigest())
        for rows in (self._scorer.splits.train, self._scorer.splits.eval):
            self._scorer.file(FILED, prompt, rows, first)


def _number(digest: str) -> int:
    """A number for a digest, with room for the rows behind it; it fits where numbers of calls are kept."""
    return int(digest[:10], 16) * _STRIDE


class _Asked(msgspec.Struct, frozen=True):
    prompt: str
    split: SplitName
    position: int


class _Result(msgspec.Struct, frozen=True):
    prompt: str


class _Part(msgspec.Struct, frozen=True):
    text: str = ""


class _Said(msgspec.Struct, frozen=True):
    role: Any
    content: str | list[_Part] | None = None

    @property
    def text(self) -> str:
        """Its text; other parts are none of ours."""
        if isinstance(self.content, list):
            return "".join(one.text for one in self.content)
        return self.content or ""


class _Completion(msgspec.Struct, frozen=True):
    model: str
    messages: tuple[_Said, ...]
    temperature: float | None = None
    n: int = 1


def _completion(model: str, replies: Sequence[Reply]) -> dict[str, Any]:
    prompt = replies[0].usage.prompt_tokens
    written = sum(one.usage.completion_tokens for one in replies)
    return {
        "id": "spotui",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {
                "index": index,
                "finish_reason": "length" if one.finish_reason == "length" else "stop",
                "message": {"role": "assistant", "content": one.answer},
            }
            for index, one in enumerate(replies)
        ],
        "usage": {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written},
    }


def _json(data: object) -> "web.Response":
    from aiohttp import web

    return web.Response(body=msgspec.json.encode(data), content_type="application/json")


def _refusal(status: int, text: str) -> "web.Response":
    from aiohttp import web

    body = msgspec.json.encode({"error": {"message": text, "type": "spotui"}})
    return web.Response(status=status, body=body, content_type="application/json")


@asynccontextmanager
async def open_loopback(
    context: Context, scorer: Scorer, task: Mapping[str, Any], module: str
) -> AsyncIterator[Loopback]:
    """Serve an optimizer of another package, and run it.

    Args:
        context: What calls are made with.
        scorer: Asks rows and marks the answers.
        task: The task, as the optimizer asks for it.
        module: What its process runs.
    """
    from aiohttp import web

    loopback = Loopback(context, scorer, task)
    runner = web.AppRunner(loopback.application(), access_log=None, shutdown_timeout=0.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        (host, port, *_rest) = runner.addresses[0]
        try:
            async with loopback.child(module, f"http://{host}:{port}"):
                yield loopback
        except Halted:
            await loopback.settle()
            raise
    finally:
        await runner.cleanup()
