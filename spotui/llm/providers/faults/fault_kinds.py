"""Which kind of failure a server reports: read from its status, its codes and its words.

Statuses alone say too little. A spent account is 402, 403, 412 or 429; a filtered prompt 400, 403, 422 or
451; a busy server 400, 409, 424 or 529; and a reply that began well breaks off without any. So the words of
every provider are listed here by kind, and the first kind in `kind_of` that fits wins.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from spotui.domain.lazy_pattern import LazyPattern
from spotui.llm.providers.faults.server_fault import ServerFault

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
        r"quota (?:has been |is |was )?(?:exhausted|used up|depleted)|user quota|free quota",
        r"(?<!thinking[ _])(?<!token[ _])budget (?:has been |is |was )?(?:exceeded|exhausted|used up)",
        r"budget_exceeded|exceeded ?budget|unpaid|used (?:up )?all (?:of )?your (?:free )?credit",
        r"no remaining (?:balance|credit|quota|funds)",
        r"payment method|upgrade your (?:plan|account)",
        r"欠费|余额不足|余额已|充值|额度(?:已)?(?:用尽|不足|耗尽|用完)|预扣费|剩余额度|资源包",
        codes="1113 1008 2056 arrearage accountoverdueerror",
    ),
    "overflow": _signs(
        # A window or a length by its name: OpenAI, vLLM, DeepSeek, Mistral, xAI, SGLang, llama.cpp, Copilot.
        r"context[ _-]?(?:length|window|size|limit)|max(?:imum)? (?:context|model|prompt) len",
        r"max_(?:prompt|input)_tokens",
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
        r"最大(?:上下文|输入)(?:长度|窗口)",
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
        r"(?:disallowed|prohibited) (?:content|words|material|text)|prompt injection|jailbreak",
        r"\b(?:harmful|offensive|nsfw)\b|\bunsafe|harm_category|recitation|moderation|\bpii\b",
        # Google, Alibaba, Volcengine, MiniMax, Zhipu.
        r"prohibited_content|blocklist|block_?reason|data_?inspection|inappropriate content",
        r"sensitive(?:content| words?| information| material| content)|new_sensitive",
        r"敏感|不安全|违规|违反|不合规|违禁|内容安全|审核",
        codes="1301 1026 1027",
    ),
    "rate_limited": _signs(
        r"rate[ _-]?limit|too[ _]many[ _](?:requests|concurrent)|throttl|request rate",
        r"limit_(?:requests|burst)|requests? per (?:minute|second|day)",
        r"(?:rpm|tpm|qps|rpd) limit|qps request limit|concurren\w+ (?:limit|exceed)",
        r"max(?:imum)? concurrency",
        r"slow down|请求过于频繁|频率|并发|限流|速率",
        codes="1302 1303 1305 1002 1039 1041 18 336501 336502",
    ),
    "unavailable": _signs(
        r"overload|temporar(?:y|ily)|at capacity|capacity[ _](?:exceeded|reached)",
        r"no (?:available )?capacity",
        r"(?:server|service|model|engine|system)(?: is)?(?: currently)? (?:busy|unavailable|not available)",
        r"service_?unavailable|unable to process (?:your|the) request",
        r"no healthy upstream|(?:currently|still|being|is) (?:loading|loaded|starting)|not ready",
        r"upstream (?:error|timeout|connect)",
        r"try again (?:later|in|shortly|soon)|please retry|timed? ?out",
        r"繁忙|过载|访问量过大|稍后",
        codes="1234 1312 336100 10110",
    ),
    "authentication": _signs(
        r"(?:invalid|incorrect|wrong|missing|no|expired) (?:api[ _-]?)?(?:key|token)\b|api secret key",
        r"unauthori[sz]ed|noauth",
        r"(?:api[ _-]?key|(?:access )?token|signature)\b.{0,30}\b(?:invalid|expired|incorrect|wrong|missing)",
        r"(?:authentication|login|log in|sign in) (?:fail|error)|permission denied|鉴权|认证失败|密钥|令牌",
    ),
    "unknown": _signs(
        r"model[_ ]not[_ ](?:exist|found)|(?:invalid|unknown|no such) model\b",
        r"\bmodel\b.{0,80}?(?:does not exist|not found)|is not a valid model|model_decommissioned",
        r"\bmodel\b.{0,80}?(?:decommissioned|been retired|discontinued|no longer (?:available|served))",
        r"模型不存在",
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
_PER_TIME: Final = LazyPattern(r"rate[ _-]?limit|per (?:min|sec|hour|day)|limit_requests")
_KEY: Final = LazyPattern(r"authenticat|unauthori[sz]ed|api[ _]?key|permission")
_WRONG_KEY: Final = LazyPattern(
    r"(?:invalid|incorrect|expired|missing) ?api[ _-]?key"
    r"|api[ _-]?key.{0,20}(?:invalid|not valid|expired|无效|错误)"
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
    is_missing = status == 404 and shows("unknown")
    if status in (0, 400, 404, 422) and not is_missing and shows("unavailable"):
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
