"""Batches over litellm, which knows each provider's addresses, forms and keys."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.domain.secret import Secret
from spotui.lang import _
from spotui.llm.batches.api import ForgottenBatchError, Payload, Progress, Submitted
from spotui.llm.batches.carriers import CARRIERS, key_of, provider_of
from spotui.llm.batches.chat import LABEL, MOST_PAGES, ChatBatches
from spotui.llm.batches.lines import JsonObject, NotFoundError, no_batch_api, nothing_there
from spotui.llm.protocol import (
    BadRequestError,
    MalformedReplyError,
    ModelError,
    RetryableError,
    TimedOutError,
)
from spotui.llm.providers import litellm_module
from spotui.llm.providers.faults.http_errors import Target
from spotui.llm.providers.litellm_module import model_error, read_error
from spotui.llm.providers.litellm_provider import secrets_of
from spotui.llm.routing import Endpoint

_SECONDS: Final = 600.0
"""Seconds that an upload or a download may take."""

_UNREADABLE: Final = frozenset({"ValidationError", "JSONDecodeError"})
"""Errors for answers that litellm did not expect."""

_UNCOUNTED: Final = {"batch_ignore_default_logging": True}
"""Keeps litellm from downloading all results once more, to count a cost that nobody reads."""

_RPC_STATUSES: Final = {3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 9: 400, 11: 400, 16: 401}
"""HTTP's statuses for codes of gRPC, with which Google and xAI name errors; 500 for all others."""

Result = TypeVar("Result")


class LitellmBatches(ChatBatches):
    """Batches of a model whose provider litellm carries; a provider may differ in what its subclass says.

    Args:
        endpoint: The model, with its key where it is not in the environment.
        environ: The environment, for keys and addresses.

    Attributes:
        share: See `BatchApi.share`.

    Raises:
        ModelError: Something that the provider needs is missing.
    """

    def __init__(self, endpoint: Endpoint, environ: Mapping[str, str]) -> None:
        model = endpoint.model
        self.provider = provider_of(model, environ)
        carrier = CARRIERS[self.provider]
        self.share, self.limits = carrier.share, carrier.limits
        self._hours = carrier.hours
        self.key: Secret | None = endpoint.api_key
        if carrier.keys:
            self.key = key_of(model, carrier, endpoint.api_key, environ)
        variable, home = carrier.address
        self.root = (environ.get(variable, "").strip() or home).rstrip("/").removesuffix("/v1")
        name = model.removeprefix(f"{self.provider}/")
        place = Target(model, carrier.name, [*secrets_of(self.key, environ)], has_key=True)
        super().__init__(place, name, has_no_price=endpoint.price is None)

    def labels(self, token: str) -> dict[str, str]:
        """What the provider keeps with a batch, and shows in its list, to find it by."""
        return {LABEL: token}

    async def submit(self, token: str, lines: Sequence[bytes]) -> Submitted:
        """Upload the requests and begin a batch of them; see `BatchApi.submit`."""
        litellm = await self.litellm()
        content = (f"spotui-{token}.jsonl", b"".join(lines), "application/jsonl")
        file = await self.step(litellm.acreate_file(file=content, purpose="batch", **self.access))
        creating = litellm.acreate_batch(
            completion_window="24h",
            endpoint=self.path,
            input_file_id=file.id,
            metadata=self.labels(token),
            **self.access,
            **self._naming,
        )
        batch = await self.step(creating, is_unsafe=True)
        return self.submitted(batch.model_dump())

    def submitted(self, body: dict[str, Any]) -> Submitted:
        """The batch that an answer is about; see `ChatBatches.submitted`."""
        found = super().submitted(body)
        if found.expires or not self._hours:
            return found
        since = float(body.get("created_at") or time.time())
        return found._replace(expires=since + self._hours * 3600)

    async def look(self, batch: str) -> Progress:
        """How far a batch is; see `BatchApi.look`."""
        litellm = await self.litellm()
        try:
            found = await self.step(
                litellm.aretrieve_batch(
                    batch_id=batch, litellm_metadata=_UNCOUNTED, **self.access, **self._naming
                )
            )
        except NotFoundError as error:
            raise ForgottenBatchError(error.what, error.hint) from None
        return self.progress(found.model_dump())

    def progress(self, body: dict[str, Any]) -> Progress:
        """How far the batch is that an answer is about.

        A provider that worked on a batch before it failed has results, which are paid for.
        """
        found = super().progress(body)
        if found.files:
            return found._replace(error=None)
        return found._replace(is_over=found.is_over and body.get("status") != "completed")

    async def results(
        self,
        batch: str,  # noqa: ARG002 - its files have names
        progress: Progress,
    ) -> AsyncIterator[tuple[str, Payload]]:
        """The results, those that failed at last; see `BatchApi.results`.

        A result that names no call ends the reading: that call would be bought again.
        """
        for file in progress.files:
            for line in (await self.content(file)).splitlines():
                if not line.strip():
                    continue
                try:
                    payload = self.shaped(msgspec.json.decode(line, type=JsonObject))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    raise no_batch_api(self.target) from None
                name = payload.get("custom_id")
                if not isinstance(name, str):
                    raise MalformedReplyError(
                        _("{place} sent a result that does not say to which call.", place=self.target),
                        _("Try again later: spotui wait NAME. No call of the batch is sent again before."),
                    )
                yield name, payload

    def shaped(self, line: JsonObject) -> JsonObject:
        """A line of the results in OpenAI's form."""
        return line

    def read(self, request: Request, payload: Payload, seconds: float) -> Reply | None:
        """The reply in a result; see `BatchApi.read`."""
        error = payload.get("error")
        if isinstance(error, dict) and (status := self.status_of(error)):
            payload = {"response": {"status_code": status, "body": {"error": error}}}
        return super().read(request, payload, seconds)

    def status_of(self, error: JsonObject) -> int:
        """The status that an error of a result would have had live; 0 where it does not say."""
        try:
            code = int(error.get("code") or 0)
        except (TypeError, ValueError):
            return 0
        return code if code >= 100 or not code else _RPC_STATUSES.get(code, 500)

    async def content(self, file: str) -> bytes:
        """A file, whole.

        Raises:
            ModelError: It cannot be read.
        """
        litellm = await self.litellm()
        found = await self.step(litellm.afile_content(file_id=file, **self.access))
        content: bytes = found.content
        return content

    async def aclose(self) -> None:
        """Close litellm's connections, unless another provider still uses them; safe to call twice."""
        await litellm_module.leave(self)

    @property
    def access(self) -> dict[str, Any]:
        """What every call of litellm is given."""
        return {
            "custom_llm_provider": self.provider,
            "timeout": _SECONDS,
            "max_retries": 0,
            **({"api_key": self.key.reveal()} if self.key else {}),
            **({"api_base": self.root} if self.root else {}),
        }

    @property
    def _naming(self) -> dict[str, str]:
        """The model, for what litellm finds a provider's forms by; none where it knows them without."""
        return {"model": f"{self.provider}/{self._model}"} if self.provider in {"gemini", "mistral"} else {}

    async def litellm(self) -> Any:
        """litellm's module."""
        return await litellm_module.join(self, self.target.model)

    async def step(self, awaitable: Awaitable[Result], *, is_unsafe: bool = False) -> Result:
        """Do one call of litellm.

        Args:
            awaitable: The call.
            is_unsafe: Whether it must not be made twice: an error that does not show the server's refusal
                leaves open whether it has worked.

        Raises:
            ModelError: It failed.
        """
        try:
            async with asyncio.timeout(_SECONDS) as limit:
                return await awaitable
        except Exception as error:  # noqa: BLE001 - litellm raises anything, bare Exception included
            said = self._explained(error, is_late=limit.expired())
            is_answered = isinstance(said, NotFoundError) or bool(read_error(error).status)
            if is_unsafe and not is_answered and not isinstance(said, RetryableError):
                raise no_batch_api(self.target) from None
            raise said from None

    def _explained(self, error: Exception, *, is_late: bool) -> ModelError:
        if is_late:
            return TimedOutError(
                _("{place} sent nothing for {silence:g} seconds.", place=self.target, silence=_SECONDS),
                _("Check that it is up, or raise the timeout of this model."),
            )
        fault = read_error(error)
        if fault.status == 404:
            return nothing_there(self.target, fault)
        if type(error).__name__ in _UNREADABLE and not fault.status:
            return no_batch_api(self.target)
        if isinstance(error, ValueError) and not fault.status:
            return BadRequestError(
                self.target.sentence(_("litellm could not ask {place}", place=self.target), fault.message),
                _("Check what is set for this provider, then resume; or run without --batch."),
            )
        return model_error(error, fault, self.target, _SECONDS, lambda: False)


class ListedBatches(LitellmBatches):
    """Batches whose provider shows their labels in a list of pages without a fixed order."""

    async def page_at(self, mark: str) -> tuple[list[JsonObject], str]:
        """A page of the list of batches, and the mark of the next; empty after the last.

        Args:
            mark: That of the page; empty for the first.

        Raises:
            ModelError: The provider does not say.
        """
        raise NotImplementedError

    async def is_labelled(self, batch: JsonObject, token: str, since: float) -> bool:  # noqa: ARG002
        """Whether a batch of the list is the one that was handed in with a token, after a time."""
        return (batch.get("metadata") or {}).items() >= self.labels(token).items()

    async def find(
        self,
        token: str,
        size: int,  # noqa: ARG002 - a batch is known by its labels
        since: float,
        others: Collection[str],
    ) -> Submitted | None:
        """The batch with a token's labels; see `BatchApi.find`."""
        mark = ""
        for _page in range(MOST_PAGES):
            batches, mark = await self.page_at(mark)
            for one in batches:
                if one.get("id") not in others and await self.is_labelled(one, token, since):
                    return self.submitted(one)
            if not mark:
                return None
        raise BadRequestError(
            _(
                "{place} has too many batches to see whether the one named {token} is among them.",
                place=self.target,
                token=token,
            ),
            _(
                "Delete old batches, then resume. If you know that it was not submitted, have its calls sent "
                "again: spotui wait NAME --give-up {token}",
                token=token,
            ),
        )
