"""Which kind of failure a server reports: read from its status, its codes and its words.

Statuses alone say too little. A spent account is 402, 403, 412 or 429; a filtered prompt 400, 403, 422 or
451; a busy server 400, 409, 424 or 529; and a reply that began well breaks off without any. So the words of
every provider are listed here by kind, and the first kind in `kind_of` that fits wins.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from spotui.domain.lazy_pattern import LazyPattern
from spotui.llm.providers.faults.retry_after import asked_wait

_TITLE = LazyPattern(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_MARKUP = LazyPattern(r"<(style|script)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)

# Names under which servers put an outcome into a successful response: Baidu, Zhipu, MiniMax, Tencent, relays.
_CODE_NAMES = (
    *("code", "error_code", "errcode", "err_code", "errorCode", "ErrorCode"),
    *("status_code", "statusCode", "retcode", "ret", "status"),
)
_OK_CODES = frozenset({"", "0", "200", "20000", "ok", "success"})
_FAILED = frozenset({"error", "fail", "failed", "failure"})
_ERROR_WORDS = (
    *("error_msg", "errmsg", "err_msg", "errorMessage", "error_message", "ErrorMsg"),
    *("errors", "detail"),
)
OF_A_CHUNK = frozenset(
    {"id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint"}
)
"""Fields of an ordinary chunk: one that has no others can only hold an error in its choices."""

_OTHER_WORDS = ("message", "msg", "status_msg", "Message", "reason", "description", "title")


class ServerFault(msgspec.Struct, frozen=True):
    """A refusal or a failure in the server's own words.

    Attributes:
        status: The HTTP status, or 0 when it is not known.
        message: What the server says, free text.
        code: Its code and type, in lower case, such as `insufficient_quota`.
        param: The parameter it complains about, or empty.
        retry_after: Seconds it asks to wait, more than 0, or None.
    """

    status: int
    message: str = ""
    code: str = ""
    param: str = ""
    retry_after: float | None = None


def read_fault(status: int, headers: Mapping[str, str], body: bytes) -> ServerFault:
    """The fault in an HTTP response that is no success."""
    text = body.decode("utf-8", "replace")
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        payload = _plain(text)
    if isinstance(payload, list):
        payload = payload[0] if payload else ""
    fault = _from_object(payload) if isinstance(payload, dict) else ServerFault(0, str(payload))
    wait = asked_wait(headers, payload, fault.message)
    return msgspec.structs.replace(fault, status=status, retry_after=wait)


def fault_inside(payload: Mapping[str, object], *, is_all: bool = False) -> ServerFault | None:
    """The fault that a successful response carries in place of a completion, or None when it carries none.

    Args:
        payload: A body, or a chunk of a stream.
        is_all: Whether nothing else has come, so that any words in it say why.
    """
    if payload.keys() <= OF_A_CHUNK and payload.get("object") != "error":
        fault = _of_choice(payload.get("choices"))
    else:
        fault = _inside(payload, is_all=is_all)
    if fault is None:
        return None
    return msgspec.structs.replace(fault, retry_after=asked_wait({}, payload, fault.message))


def _inside(payload: Mapping[str, object], *, is_all: bool) -> ServerFault | None:
    error = payload.get("error")
    if (any(error.values()) if isinstance(error, dict) else error) or payload.get("object") == "error":
        return _from_object(payload)
    choices = payload.get("choices")
    if (fault := _of_choice(choices)) is not None:
        return fault
    outcome = payload.get("base_resp")  # MiniMax
    if isinstance(outcome, dict) and (fault := _failure(outcome)):
        return fault
    header = payload.get("header")  # iFlytek
    inner = header if isinstance(header, dict) else {}
    return None if choices else _failure(inner) or _failure(payload, is_all=is_all)


def _of_choice(choices: object) -> ServerFault | None:
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("error"):
            return _from_object(choice)
    return None


def _failure(outcome: Mapping[str, object], *, is_all: bool = False) -> ServerFault | None:
    """The fault in an outcome that is a code with words, or a flag, or words that only errors have."""
    words = _words_in(outcome, _ERROR_WORDS)
    code = next((value for name in _CODE_NAMES if _is_failure(value := outcome.get(name))), None)
    failed = outcome.get("success") is False or str(outcome.get("status")).lower() in _FAILED
    if not words and (failed or is_all or code is not None):
        words = _words_in(outcome, _OTHER_WORDS)
    if not (words or failed):
        return None
    fields = {"code": code, "message": words, "type": outcome.get("type")}
    return _from_object({"error": fields} if words else outcome)


def _is_failure(code: object) -> bool:
    return isinstance(code, (int, str)) and not isinstance(code, bool) and str(code).lower() not in _OK_CODES


def _words_in(outcome: Mapping[str, object], names: tuple[str, ...]) -> str:
    """The first words under one of these names, in a text or in the entries of a list."""
    for name in names:
        value = outcome.get(name)
        entries = value if isinstance(value, list) else [value]
        found = [
            _words_in(one, ("message", "msg")) if isinstance(one, dict) else _text(one) for one in entries
        ]
        if words := "; ".join(filter(None, found)):
            return words
    return ""


def _from_object(payload: Mapping[str, object]) -> ServerFault:
    inner = payload.get("error")
    error = inner if isinstance(inner, dict) else payload
    param = _text(error.get("param"))
    message = inner if isinstance(inner, str) else _text(error.get("message"))
    if not message:
        message, param = _validation(error.get("detail"), param)
    # Routers say only that someone behind them failed, and put that one's words aside.
    if isinstance(behind := error.get("metadata"), dict) and (raw := _text(behind.get("raw"))):
        message = f"{message}: {raw}"
    status = str(error.get("code") or payload.get("status"))
    return ServerFault(
        status=int(status) if re.fullmatch(r"[45]\d\d", status) else 0,
        message=message or json.dumps(payload, ensure_ascii=False),
        code=" ".join(_codes(error)).lower(),
        param=param,
    )


def _validation(detail: object, param: str) -> tuple[str, str]:
    """Message and parameter of the list that validating frameworks answer with."""
    if not isinstance(detail, list):
        return _text(detail), param
    findings = []
    for item in detail:
        if isinstance(item, dict) and isinstance(place := item.get("loc"), list):
            path = ".".join(str(step) for step in place if step != "body")
            param = param or path
            findings.append(f"{path}: {_text(item.get('msg'))}")
    return "; ".join(findings), param


def _codes(error: Mapping[str, object]) -> Iterator[str]:
    """What the server calls the fault: its code, its type, Google's status, and those of a fault below it."""
    for name in ("code", "type", "status"):
        value = error.get(name)
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            yield str(value)
    inner = error.get("innererror") or error.get("inner_error")
    if isinstance(inner, dict):
        yield from _codes(inner)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _plain(text: str) -> str:
    """A web page's title, or the words between its tags."""
    if "<" not in text:
        return text
    title = _TITLE.search(text)
    return title[1] if title else _MARKUP.sub(" ", text)


FaultKind = Literal[
    "no_money", "overflow", "filtered", "rate_limited", "authentication", "unavailable", "unknown", "refused"
]


class Signs(NamedTuple):
    """How a kind of failure is recognized.

    Attributes:
        words: A pattern for a message and its codes, in lower case.
        codes: The numbers of providers that number their failures.
    """

    words: LazyPattern
    codes: frozenset[str]

    def are_in(self, words: str, codes: set[str]) -> bool:
        """Whether a fault shows this kind."""
        return not self.codes.isdisjoint(codes) or self.words.search(words) is not None


def _signs(*words: str, codes: str = "") -> Signs:
    return Signs(LazyPattern("|".join(words)), frozenset(codes.split()))


_FUNDS: Final = r"(?:balance|credits?|funds) (?:(?:is|are|has been|have been) )?"
_LONG: Final = r"(?:exceed|surpass|greater|more than|over the|larger|longer|above|beyond|must be)"
_TEXT: Final = r"(?:model|prompts?|inputs?|requests?|messages?|context|total)\b"

SIGNS: Final[Mapping[FaultKind, Signs]] = {
    "no_money": _signs(
        r"insufficient[ _](?:user[ _])?(?:quota|balance|credits?|funds)|exceeded_current_quota",
        r"billing[ _](?:hard[ _]limit|not[ _]active)|payment[ _]required|arrear|overdue",
        r"check your plan and billing|add (?:more )?credits|top[ -]?up|please recharge",
        _FUNDS + r"(?:too low|insufficient|not enough|negative|exhausted|depleted|used up)",
        r"not enough (?:credits?|balance|funds|money)|(?:out of|have no|have any) credits\b",
        r"no (?:credits?|quota) (?:left|remaining|available)|(?:included|all available) credits",
        r"free tier.{0,40}exhausted|(?:spending|spend|credit|key) limit|account.{0,40}suspended",
        r"reached your specified api usage limits|usage limit reached|spending cap",
        r"trial (?:has )?(?:expired|ended)",
        r"quota (?:has been |is |was )?(?:exhausted|used up|depleted)|user quota",
        r"no remaining (?:balance|credit|quota)",
        r"payment method|upgrade your (?:plan|account)",
        r"欠费|余额不足|余额已|充值|额度(?:已)?(?:用尽|不足|耗尽|用完)|资源包",
        codes="1113 1008 2056 arrearage accountoverdueerror",
    ),
    "overflow": _signs(
        # A window or a length by its name: OpenAI, vLLM, DeepSeek, Mistral, xAI, SGLang, llama.cpp, Copilot.
        r"context[ _-]?(?:length|window|size|limit)|max(?:imum)? (?:context|model|prompt) len",
        r"max_prompt_tokens",
        r"exceed_context_size|string_above_max_length|max_model_len|max_seq_len|length of prompt_tokens",
        # Too long, too large, too many: Anthropic, Bedrock, Cohere, Fireworks, Together.
        r"(?:prompt|inputs?|request|messages?|conversation|text|content|payload|body)\b.{0,40}?\btoo "
        r"(?:long|large|big)",
        r"too large to process|too many (?:input |prompt |total )?tokens|\btokens?\b.{0,30}? too many",
        r"maxlength",
        r"(?:prompt|input|context|request)_too_(?:long|large)|token limit exceeded|maximum tokens? exceeded",
        # A count of tokens beyond a limit: Gemini, Copilot, Moonshot, Volcengine, watsonx, TGI.
        _TEXT + r".{0,60}?\btokens?\b.{0,60}?" + _LONG,
        _LONG + r"\w*\b.{0,60}?\b" + _TEXT + r".{0,20}?\b(?:token|length|size)",
        r"\b(?:tokens?|length)\b.{0,40}?\bexceed|exceed\w*\b.{0,40}?\bcontext",
        r"sequence length is longer|(?:max|sequence)[ _]?length\b.{0,40}?\d",
        r"at most [\d,]+ (?:input|prompt) tokens|\d tokens\b.{0,40}?\blimit",
        r"max_position_embeddings|kv[ _]?cache",
        r"\btokens in (?:the |your )?(?:request|prompt|input)s?\b.{0,40}?" + _LONG,
        r"input token count|`inputs` (?:tokens|must have)|(?:prompt|inputs?)\b.{0,30}? longer than",
        r"prompt exceeds|exceeds? (?:the )?max(?:imum)? (?:prompt |input |message )?(?:length|size)",
        # Advice and ranges: OpenAI, Groq, DashScope.
        r"reduce the length of|shorten (?:your|the) (?:message|prompt|input)",
        r"reduce your (?:message|prompt|input)|input or output tokens must be reduced",
        r"range of input length|context (?:the )?overflow",
        # Zhipu, Baidu, Tencent, iFlytek.
        r"(?:输入|提示|内容|文本|上下文|长度|prompt|token)\S{0,12}(?:过长|超长|超出|超过|超限|上限)",
        codes="1261 336007 336103 10907",
    ),
    "filtered": _signs(
        # Azure, OpenAI, Anthropic, Moonshot, DeepSeek, Mistral, Bedrock, StepFun.
        r"content[ _-]?(?:filter|polic|management polic|moderation|censor|safety)|guardrail|censor",
        r"safety (?:system|filter|setting|check|polic|guideline|reason)|safety_|usage (?:polic|guideline)",
        r"(?:was|been|is|were) (?:flagged|blocked (?:by|due|because|for))|flagged (?:as|for|by)",
        r"high risk|content exists risk|risk control|responsible[ _]?ai|\brai\b|requires moderation",
        r"violat\w+ (?:\S+ ){1,3}(?:polic|terms|guideline|rules)|polic(?:y|ies)[ _]violation",
        r"content (?:(?:was|is|has been) )?(?:blocked|rejected|refused)",
        r"(?:disallowed|prohibited) (?:content|words)",
        r"\b(?:unsafe|harmful|offensive|nsfw)\b|harm_category",
        # Google, Alibaba, Volcengine, MiniMax, Zhipu.
        r"prohibited_content|blocklist|block_?reason|data_?inspection|inappropriate content",
        r"sensitive(?:content| words?| information| material| content)|new_sensitive",
        r"敏感|不安全|违规|违反|不合规",
        codes="1301 1026 1027",
    ),
    "rate_limited": _signs(
        r"rate[ _-]?limit|too[ _]many[ _](?:requests|concurrent)|throttl",
        r"requests? per (?:minute|second|day)",
        r"(?:rpm|tpm|qps|rpd) limit|qps request limit|concurren\w+ (?:limit|exceed)",
        r"max(?:imum)? concurrency",
        r"slow down|请求过于频繁|频率|并发|限流|速率",
        codes="1302 1303 1305 1002 1039 1041 18 336501 336502",
    ),
    "unavailable": _signs(
        r"overload|temporar(?:y|ily)|at capacity|capacity[ _](?:exceeded|reached)",
        r"no (?:available )?capacity",
        r"(?:server|service|model|engine|system)(?: is)?(?: currently)? (?:busy|unavailable|not available)",
        r"no healthy upstream|(?:currently|still|being|is) (?:loading|loaded|starting)|not ready",
        r"upstream (?:error|timeout|connect)",
        r"try again (?:later|in|shortly|soon)|please retry|timed? ?out",
        r"繁忙|过载|访问量过大|稍后",
        codes="1234 1312 336100 10110",
    ),
    "authentication": _signs(
        r"(?:invalid|incorrect|wrong|missing|no|expired) (?:api[ _-]?)?(?:key|token)\b",
        r"unauthori[sz]ed|noauth",
        r"(?:api[ _-]?key|(?:access )?token|signature)\b.{0,30}\b(?:invalid|expired|incorrect|wrong|missing)",
        r"authentication (?:fail|error)|permission denied|鉴权|认证失败|密钥|令牌",
    ),
    "unknown": _signs(
        r"model[_ ]not[_ ](?:exist|found)|(?:invalid|unknown|no such) model\b",
        r"\bmodel\b.{0,80}?(?:does not exist|not found)|is not a valid model",
        codes="1211",
    ),
    "refused": _signs(
        r"invalid_(?:request|param|argument)|bad_?request",
        codes="1210 1213 1214 2013 336002 336003 336006",
    ),
}
"""Every provider's words, by kind.

Numbers are those of Zhipu from 1113, MiniMax from 1002, Baidu 18 and 336xxx, and iFlytek 10xxx.
"""

_SPENT_CODES: Final = LazyPattern(r"insufficient_(?:user_)?quota|insufficient_(?:balance|credits)")
_PER_TIME: Final = LazyPattern(r"rate[ _-]?limit|per (?:min|sec|hour|day)")
_KEY: Final = LazyPattern(r"authenticat|unauthori[sz]ed|api[ _]?key|permission")
_WRONG_KEY: Final = LazyPattern(
    r"(?:invalid|incorrect|expired|missing) api[ _]?key|api[ _]?key.{0,20}(?:invalid|not valid)"
)

# A request that is larger than the tokens of a whole minute never passes, however long one waits.
_OF_A_MINUTE: Final = LazyPattern(r"limit:? ([\d,]+)\b.{0,60}?\brequested:? ([\d,]+)")

_NOT_ABOUT_LENGTH: Final = frozenset({401, 403, 429})
_PASSING: Final = frozenset({408, 409, 420, 424, 425, 449, 498, 499})


def kind_of(fault: ServerFault) -> FaultKind:
    """The kind of a fault; one without a status broke off a reply under way."""
    status, words, codes = fault.status, f"{fault.message} {fault.code}".lower(), set(fault.code.split())

    def shows(kind: FaultKind) -> bool:
        return SIGNS[kind].are_in(words, codes)

    if _is_about_money(fault, words, codes):
        return "no_money"
    if _is_overflow(status, words, codes):
        return "overflow"
    if status in (446, 451) or (status not in (401, 429) and shows("filtered")):
        return "filtered"
    if status == 429 or (status not in (401, 404) and shows("rate_limited")):
        return "rate_limited"
    if status in (401, 403) or (status == 400 and _WRONG_KEY.search(words)):
        return "authentication"
    if status >= 500 or status in _PASSING:
        return "unavailable"
    if status in (0, 400, 422) and shows("unavailable"):
        return "unavailable"
    if status in (404, 405, 410) or (status in (400, 422) and shows("unknown")):
        return "unknown"
    if status == 0 and (_KEY.search(fault.code) or shows("authentication")):
        return "authentication"
    if status == 0 and ("not_found" in fault.code or shows("unknown")):
        return "unknown"
    # A server that breaks a reply off without blaming the request has failed itself.
    return "refused" if status or SIGNS["refused"].are_in(fault.code, codes) else "unavailable"


def _is_about_money(fault: ServerFault, words: str, codes: set[str]) -> bool:
    if fault.status == 402:
        return True
    # Google's free tier speaks of plan and billing, too, but names the seconds until it answers again.
    is_per_time = fault.status == 429 and _PER_TIME.search(words) is not None
    if fault.status in (401, 404, 500) or fault.retry_after is not None or is_per_time:
        return _SPENT_CODES.search(fault.code) is not None
    return SIGNS["no_money"].are_in(words, codes)


def _is_overflow(status: int, words: str, codes: set[str]) -> bool:
    if status == 413:
        return True
    if (request := _OF_A_MINUTE.search(words)) is not None:
        limit, requested = (int(number.replace(",", "")) for number in request.groups())
        return requested > limit
    if status in _NOT_ABOUT_LENGTH or _PER_TIME.search(words):
        return False
    return SIGNS["overflow"].are_in(words, codes)
