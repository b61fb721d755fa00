"""The providers whose batches litellm carries, each with what it does in its own way."""

import re
from collections.abc import Mapping
from time import time
from typing import Any, Final

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.lang import _
from spotui.llm.batches.api import Payload, Progress
from spotui.llm.batches.carriers import provider_of, refusal
from spotui.llm.batches.chat import PAGE
from spotui.llm.batches.lines import JsonObject, json_of, unix_time
from spotui.llm.batches.over_litellm import ListedBatches, LitellmBatches
from spotui.llm.options import Options
from spotui.llm.protocol import BadRequestError, ModelError, RetryableError
from spotui.llm.providers.http import HttpPool
from spotui.llm.routing import Endpoint

_KEY: Final = "key"
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])[A-Z]")
_CODE: Final = re.compile(r"\b[\"']?code[\"']?:\s*(\d{3})\b")
_FOLDER: Final = "litellm-vertex-files/"
_LOST: Final = "unknown"
_UNREAD: Final = "transformation_error"
_LATE: Final = 3600.0
"""Seconds after which a batch that should have expired is not waited for."""

_SKEW: Final = 120.0
"""Seconds by which the provider's clock may be behind this one."""


class AzureBatches(LitellmBatches):
    """Batches of a deployment of Azure's."""

    path = "/chat/completions"

    async def page(self, after: str) -> tuple[list[dict[str, Any]], bool]:
        """A page of the list of batches; see `ChatBatches.page`."""
        litellm = await self.litellm()
        page = await self.step(litellm.alist_batches(after=after or None, limit=PAGE, **self.access))
        return [one.model_dump() for one in page.data], getattr(page, "has_more", False)

    def progress(self, body: dict[str, Any]) -> Progress:
        """How far the batch is that an answer is about, as at OpenAI."""
        return super(LitellmBatches, self).progress(body)


class _HttpListed(ListedBatches):
    """Batches whose list litellm does not have: the provider's own API shows it.

    Args:
        endpoint: See `LitellmBatches`.
        environ: See `LitellmBatches`.
        header: The header with the key, where it is another than usual.
    """

    def __init__(self, endpoint: Endpoint, environ: Mapping[str, str], *, header: str = "") -> None:
        super().__init__(endpoint, environ)
        assert self.key is not None  # noqa: S101 - a carrier with variables for keys has one
        replace = msgspec.structs.replace
        # A key in a header of another name is masked as the value of a variable is.
        keyed = replace(endpoint, base_url=self.root, api_key=None, values={_KEY: self.key})
        self._pool = HttpPool(keyed if header else replace(keyed, api_key=self.key, values={}))
        self._headers = {header: self.key.reveal()} if header else {}

    async def get(self, path: str, query: dict[str, str]) -> JsonObject:
        """What the provider's API has at a path."""
        return await json_of(self._pool, "GET", path, None, Options(headers=self._headers, query=query))

    async def aclose(self) -> None:
        """Close every connection; safe to call twice."""
        try:
            await self._pool.aclose()
        finally:
            await super().aclose()


class MistralBatches(_HttpListed):
    """Batches of one of Mistral's models: a job has the model for all of its lines."""

    def line(self, name: str, request: Request) -> bytes:
        """A request as the batch holds it; see `BatchApi.line`."""
        line = msgspec.json.decode(super().line(name, request), type=JsonObject)
        body = {key: value for key, value in line["body"].items() if key != "model"}
        return msgspec.json.encode({"custom_id": name, "body": body}) + b"\n"

    async def page_at(self, mark: str) -> tuple[list[JsonObject], str]:
        """A page of the list of batches; see `ListedBatches.page_at`."""
        number, seen = map(int, (mark or "0 0").split())
        page = await self.get("/v1/batch/jobs", {"page": str(number), "page_size": str(PAGE)})
        jobs = [one for one in page.get("data") or () if isinstance(one, dict)]
        seen += len(jobs)
        return jobs, f"{number + 1} {seen}" if jobs and seen < int(page.get("total") or 0) else ""


class GeminiBatches(_HttpListed):
    """Batches of one of Gemini's models, with Google's spelling of the fields of results.

    Args:
        endpoint: See `LitellmBatches`.
        environ: See `LitellmBatches`.
    """

    def __init__(self, endpoint: Endpoint, environ: Mapping[str, str]) -> None:
        super().__init__(endpoint, environ, header="x-goog-api-key")

    def labels(self, token: str) -> dict[str, str]:
        """The name under which Google shows a batch; see `LitellmBatches.labels`."""
        return {"display_name": f"spotui-{token}"}

    async def page_at(self, mark: str) -> tuple[list[JsonObject], str]:
        """A page of the list of batches; see `ListedBatches.page_at`."""
        page = await self.get(
            "/v1beta/batches", {"pageSize": str(PAGE)} | ({"pageToken": mark} if mark else {})
        )
        found = []
        for one in page.get("operations") or ():
            kept = one.get("metadata") or {}
            name, shown = str(one.get("name") or "").removeprefix("batches/"), kept.get("displayName")
            created = unix_time(kept.get("createTime"))
            found.append({"id": name, "created_at": created, "metadata": {"display_name": shown}})
        return found, str(page.get("nextPageToken") or "")

    def shaped(self, line: JsonObject) -> JsonObject:
        """A line of the results in OpenAI's form; see `LitellmBatches.shaped`."""
        shaped: JsonObject = _snaked(line)
        shaped.setdefault("custom_id", shaped.get(_KEY))
        body = (shaped.get("response") or {}).get("body")
        usage = body.get("usage") if isinstance(body, dict) else None
        if isinstance(usage, dict):
            asked, said = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
            thought = max(0, int(usage.get("total_tokens") or 0) - asked - said)
            if thought:  # billed as what was written, and counted in the total alone
                usage["completion_tokens"] = said + thought
                usage["completion_tokens_details"] = {"reasoning_tokens": thought}
        return shaped


class XaiBatches(ListedBatches):
    """Batches of one of xAI's models: the results stand at the batch, whatever became of it."""

    def labels(self, token: str) -> dict[str, str]:
        """The name under which xAI shows a batch; see `LitellmBatches.labels`."""
        return {"name": f"spotui-{token}"}

    async def page_at(self, mark: str) -> tuple[list[JsonObject], str]:
        """A page of the list of batches; see `ListedBatches.page_at`."""
        litellm = await self.litellm()
        page = await self.step(litellm.alist_batches(after=mark or None, limit=PAGE, **self.access))
        return [one.model_dump() for one in page.data], str(page.next_page_token or "")

    def progress(self, body: dict[str, Any]) -> Progress:
        """How far the batch is that an answer is about; see `LitellmBatches.progress`."""
        expires = float(body.get("expires_at") or 0.0)
        if body.get("status") == "in_progress" and expires and time() > expires + _LATE:
            body = {**body, "status": "expired"}
        found = super().progress(body)
        is_answered = found.is_over and (found.done > 0 or found.error is None)
        return found._replace(files=(str(body["id"]),), error=None) if is_answered else found


class VertexBatches(ListedBatches):
    """Batches of a model on Vertex AI, whose list shows the file of requests, and that their names."""

    async def page_at(self, mark: str) -> tuple[list[JsonObject], str]:
        """A page of the list of batches; see `ListedBatches.page_at`."""
        litellm = await self.litellm()
        page = await self.step(litellm.alist_batches(after=mark or None, limit=PAGE, **self.access))
        return [one.model_dump() for one in page["data"]], str(page.get("next_page_token") or "")

    async def is_labelled(self, batch: JsonObject, token: str, since: float) -> bool:
        """Whether the requests of a batch are named after a token; see `ListedBatches.is_labelled`."""
        file, created = str(batch.get("input_file_id")), float(batch.get("created_at") or since)
        if _FOLDER not in file or created < since - _SKEW:
            return False
        try:
            return f"{token}-".encode() in await self.content(file)
        except RetryableError:
            raise
        except ModelError as error:
            raise BadRequestError(
                _(
                    "Whether {place} has the batch named {token} cannot be seen: {error}",
                    place=self.target,
                    token=token,
                    error=error.what,
                ),
                _(
                    "Set the bucket and the account that it was submitted with, then resume. If you know it "
                    "was not submitted, have its calls sent again: spotui wait NAME --give-up {token}",
                    token=token,
                ),
            ) from None

    def shaped(self, line: JsonObject) -> JsonObject:
        """A line of the results; see `LitellmBatches.shaped`. litellm writes a word for a lost name."""
        return {**line, "custom_id": None} if line.get("custom_id") == _LOST else line

    def read(self, request: Request, payload: Payload, seconds: float) -> Reply | None:
        """The reply in a result; see `BatchApi.read`."""
        error = payload.get("error")
        if isinstance(error, dict) and error.get("code") == _UNREAD:
            said = self.target.sentence(
                _("litellm cannot read a reply of {place}", place=self.target), str(error.get("message"))
            )
            raise BadRequestError(said, _("Send the call live: spotui resume NAME --live"))
        return super().read(request, payload, seconds)

    def status_of(self, error: JsonObject) -> int:
        """The status that an error of a result would have had live; see `LitellmBatches.status_of`."""
        found = _CODE.search(str(error.get("message")))
        return int(found[1]) if found else 0


_KINDS: Final[Mapping[str, type[LitellmBatches]]] = {
    "azure": AzureBatches,
    "gemini": GeminiBatches,
    "mistral": MistralBatches,
    "vertex_ai": VertexBatches,
    "xai": XaiBatches,
}


def batches_over_litellm(endpoint: Endpoint, environ: Mapping[str, str]) -> LitellmBatches | None:
    """The batches of a model over litellm; None where its provider has none there.

    Raises:
        ModelError: They cannot be used, or something that they need is missing.
    """
    if (why := refusal(endpoint.model, environ)) is not None:
        raise why
    kind = _KINDS.get(provider_of(endpoint.model, environ))
    return None if kind is None else kind(endpoint, environ)


def _snaked(value: Any) -> Any:
    """An object with the names of its fields in OpenAI's spelling."""
    if isinstance(value, dict):
        return {_CAMEL.sub(lambda one: f"_{one[0].lower()}", key): _snaked(one) for key, one in value.items()}
    return [_snaked(one) for one in value] if isinstance(value, list) else value
