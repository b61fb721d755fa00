"""Batches of Azure's deployments over litellm, which knows their addresses, versions and keys."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Collection, Sequence
from typing import Any, Final, TypeVar

import msgspec

from spotui.lang import _
from spotui.llm.batches.api import HALF, ForgottenBatchError, Payload, Progress, Submitted
from spotui.llm.batches.chat import LABEL, MOST_PAGES, PAGE, ChatBatches
from spotui.llm.protocol import BadRequestError, ModelError, TimedOutError
from spotui.llm.providers import litellm_module
from spotui.llm.providers.faults.http_errors import Place
from spotui.llm.providers.litellm_module import model_error, read_error
from spotui.llm.providers.litellm_provider import secrets_of
from spotui.llm.routing import Endpoint

PREFIX: Final = "azure/"

_SECONDS: Final = 600.0
"""Seconds that an upload or a download may take."""

Result = TypeVar("Result")


class AzureBatches(ChatBatches):
    """Batches of a deployment of Azure's.

    Args:
        endpoint: The model, with its key where it is not litellm's to find.
    """

    share = HALF
    path = "/chat/completions"

    def __init__(self, endpoint: Endpoint) -> None:
        place = Place(endpoint.model, "Azure", [*secrets_of(endpoint.api_key)], has_key=True)
        super().__init__(place, endpoint.model.removeprefix(PREFIX), has_no_price=endpoint.price is None)
        self._endpoint = endpoint

    async def submit(self, token: str, lines: Sequence[bytes]) -> Submitted:
        """Upload the requests and begin a batch of them; see `BatchApi.submit`."""
        litellm = await self._litellm()
        content = (f"spotui-{token}.jsonl", b"".join(lines), "application/jsonl")
        file = await self._step(litellm.acreate_file(file=content, purpose="batch", **self._access))
        batch = await self._step(
            litellm.acreate_batch(
                completion_window="24h",
                endpoint=self.path,
                input_file_id=file.id,
                metadata={LABEL: token},
                **self._access,
            )
        )
        return self.submitted(batch.model_dump())

    async def find(
        self,
        token: str,
        size: int,  # noqa: ARG002 - a batch has its name in the list
        since: float,
        others: Collection[str],  # noqa: ARG002
    ) -> Submitted | None:
        """The batch with a token among the newest; see `BatchApi.find`."""
        litellm, after = await self._litellm(), None
        for _page in range(MOST_PAGES):
            page = await self._step(litellm.alist_batches(after=after, limit=PAGE, **self._access))
            batches = [one.model_dump() for one in page.data]
            for one in batches:
                if (one.get("metadata") or {}).get(LABEL) == token:
                    return self.submitted(one)
            is_older = any(float(one.get("created_at") or since) < since for one in batches)
            if is_older or not getattr(page, "has_more", False) or not batches:
                return None
            after = batches[-1].get("id")
        return None

    async def look(self, batch: str) -> Progress:
        """How far a batch is; see `BatchApi.look`."""
        litellm = await self._litellm()
        try:
            found = await self._step(litellm.aretrieve_batch(batch_id=batch, **self._access))
        except _MissingError as error:
            raise ForgottenBatchError(error.what, error.hint) from None
        return self.progress(found.model_dump())

    async def results(
        self,
        batch: str,  # noqa: ARG002 - its files have names
        progress: Progress,
    ) -> AsyncIterator[tuple[str, Payload]]:
        """The results, those that failed at last; see `BatchApi.results`."""
        litellm = await self._litellm()
        for file in progress.files:
            found = await self._step(litellm.afile_content(file_id=file, **self._access))
            for line in found.content.splitlines():
                payload = msgspec.json.decode(line, type=dict[str, Any])
                yield str(payload.get("custom_id")), payload

    async def aclose(self) -> None:
        """Close litellm's connections, unless another provider still uses them; safe to call twice."""
        await litellm_module.leave(self)

    @property
    def _access(self) -> dict[str, Any]:
        """What every call of litellm is given."""
        key = self._endpoint.api_key
        return {
            "custom_llm_provider": "azure",
            "timeout": _SECONDS,
            "max_retries": 0,
            **({"api_key": key.reveal()} if key else {}),
        }

    async def _litellm(self) -> Any:
        try:
            return await litellm_module.join(self)
        except ImportError as error:
            why = " ".join(str(error).split())
            raise BadRequestError(
                _(
                    "{model} is reached through litellm, which cannot be imported: {why}",
                    model=self._endpoint.model,
                    why=why,
                ),
                _("Reinstall spotui, or give the model a base URL."),
            ) from error

    async def _step(self, awaitable: Awaitable[Result]) -> Result:
        try:
            async with asyncio.timeout(_SECONDS) as limit:
                return await awaitable
        except Exception as error:  # noqa: BLE001 - litellm raises anything, bare Exception included
            raise self._explained(error, is_late=limit.expired()) from None

    def _explained(self, error: Exception, *, is_late: bool) -> ModelError:
        if is_late:
            return TimedOutError(
                _("{place} sent nothing for {silence:g} seconds.", place=self.place, silence=_SECONDS),
                _("Check that it is up, or raise the timeout of this model."),
            )
        fault = read_error(error)
        if fault.status == 404:
            what = self.place.sentence(
                _("{place} knows no such batch, or has no API for batches", place=self.place), fault.message
            )
            return _MissingError(what, _("Check the endpoint and its key, or run without --batch."))
        return model_error(error, fault, self.place, _SECONDS, lambda: False)


class _MissingError(BadRequestError):
    """Azure has nothing at an address."""
