"""The words by which answers choose, deny and join, in the languages that models answer in.

English, German, French, Spanish, Portuguese, Italian, Russian, Chinese (traditional characters are read as
simplified ones), Japanese and Korean. Each constant is a part of a regular expression in which case makes no
difference and blanks are written as such; none of them has a group.
"""

from typing import Final

_NOUNS: Final = (
    *("answer", "ans", "option", "choice", "letter", "response", "solution", "selection"),
    *("antwort", "antwortmöglichkeit", "lösung", "möglichkeit", "auswahl", "auswahlmöglichkeit"),
    *("réponse", "choix", "lettre", "proposition", "respuesta", "opción", "alternativa", "letra"),
    *("resposta", "opção", "risposta", "opzione", "lettera", "ответ", "вариант", "вариантом", "буква"),
)
_RIGHT: Final = (
    *(
        "right",
        "correct",
        "best",
        "richtig",
        "richtige",
        "korrekt",
        "korrekte",
        "correcte",
        "bonne",
        "correcta",
    ),
    *(
        "correto",
        "correta",
        "corretta",
        "corretto",
        "giusta",
        "juste",
        "правильный",
        "правильным",
        "верный",
        "верным",
    ),
)
_BE: Final = r"is|are|was|must be|should be|has to be|lautet|ist|est|es|é|è|является|будет"
NOUN: Final = "|".join(_NOUNS)
"""What is chosen, as in "option B"."""

SAYS: Final = (
    rf"\b(?:{NOUN})\.?(?: (?:{'|'.join((*_RIGHT, 'final', 'finale', 'endgültige'))}))?"
    rf"(?: (?:{_BE}|would be|wäre|serait|sería|seria|sarebbe))?\b"
    r"|\b(?:leaves|leaving|say|think|believe|choose|chose|choosing|pick|picked|select|selected|go with|go for"
    r"|going with|it(?:'s|’s| is| must be| has to be| should be)"
    r"|(?:that|this)(?:'s|’s| would be| makes it)|left with"
    r"|(?:answer|choice|option|one)(?: (?!is\b|not\b|wrong|incorrect|isn|\w*n't)[\w'-]+){1,8}?"
    r" (?:is|would be|must be)"
    r"|(?:wähle|nehme|würde|tippe auf|entscheide mich für|choisis|choisirais|opte pour|prends|elijo|elegiría"
    r"|escojo|selecciono|escolho|escolheria|scelgo|sceglierei|выбираю|выберу|выбрал)"
    r"|(?:es|das|this|that|he|richtig|korrekt) ist|c['’]est|il s['’]agit (?:de|d['’])|это"
    rf"|(?:{'|'.join(_RIGHT)}) (?:{_BE})"
    r"|sondern|sino|но)\b"
    rf"|\b(?:{'|'.join((*_RIGHT, 'correction'))})(?=\s*[:：])"
    r"|(?:^|(?<=[\n.;,]) ?|\bque )(?:es|è|é)(?= (?:la |a )?\(?[A-Z]\b)"
    r"|(?<!不)(?<!不应)选(?:择|项)?|答案|解答|正解|正答|答え|认为|就是|才是|当然是|肯定是|应该是|而是|改为|改选|剩下|^答(?=\s*[:：])"
    r"|(?:の|肢|解|え|もの)は|ではなく、?|아니라|정답은|답은"
)
"""What an answer begins its choice with."""

LEADS: Final = (
    r"therefore|thus|only|us with|clearly|probably|indeed|definitely|likely|the|be|(?-i:[ao])|la|el|le|il|lo"
    r"|l['’]|die|der|das"
    rf"|{NOUN}|{'|'.join(_RIGHT)}|statement|also|donc|selbst|est|es|是|为|应该|选项|选择|选|が|「|选択肢"
)
"""What may come between that and the letter."""

SO: Final = (
    r"\b(?:so|therefore|thus|hence|final|finally|daher|somit|folglich|demnach|donc|ainsi|luego|portanto|logo"
    r"|quindi|dunque|entonces|por (?:lo )?tanto|por ende|por eso|deshalb|deswegen|perciò"
    r"|следовательно|таким образом|значит|итак|поэтому)\b"
    r"|所以|因此|综上(?:所述)?|故|よって|したがって|ゆえに|따라서"
)
"""What a conclusion begins with."""

BUT: Final = r"\b(?:but|sondern|sino|mais)\b|,\s*(?:ma|а)\b|なく"
"""What leads from an option that is ruled out to the one that is left."""

OR: Final = (
    r"/|&|\+|,?\s*\b(?:or|and|oder|und|bzw\.|ou|et|o|u|y|e|или|и|либо)\b|、"
    r"|或者?|和|与|及|还是|か|または|もしくは|あるいは|と|や|も|および|또는|이나|혹은|와|과"
)
"""What joins two that are as good as each other."""

RIGHT: Final = (
    rf"(?:(?:{_BE}|seems|sind)\s+(?!the\b)|(?:(?:{_BE}|seems|sind)\s+)?(?=(?:the|die|der|das|la|le|il|a)\s))"
    r"(?:(?:clearly|indeed|definitely|the|only|die|der|das|la|le|el|a|il|eindeutig|also|daher|donc)\s+){0,3}"
    rf"(?:{'|'.join(_RIGHT)}|answer|juste|vraie?|exacte?|verdadera|giusta|верно|правильно|правильный|better)\b"
    r"|would be (?:the |my )?(?:best|choice)\b|— правильный|правильный|верный|trifft zu|richtig\b|korrekt\b"
    r"|才是?(?=[\s,.。，;；!！]|$)|(?:是|为|才是?)?(?:正确|对的|对(?=[\s,.。，;；!！]|$)|最佳|符合"
    r"|[更最](?:合适|适合|恰当|好|佳|准确|符合))"
    r"|(?:が|は|こそ)\s*(?:正解|正しい|適切|最適|最も|当てはま)|(?:가|이)\s*(?:정답|맞|옳)"
)
"""What calls the option before it right."""

FITS: Final = (
    r"(?:is|would be|must be|seems)\s+(?:clearly |indeed |the )*(?:true|most \w+)\b"
    r"|(?:fits|works|applies|matches|remains|makes (?:the most |more |perfect )?sense|is left)\b|成立"
)
"""What speaks for the option before it."""

WRONG: Final = (
    r"(?:(?:is|are|was|were|would be|can be|must be|seems|looks|ist|sind|est|es|é|è)\s+)?"
    r"(?:(?:clearly|also|obviously|a|eindeutig)\s+)?"
    r"(?:(?:not\b(?!\s*\(?[A-Z]\b)|wrong|incorrect|false|impossible|invalid|excluded|eliminated|ruled out"
    r"|out|distractor|isn['’]t|cannot|can['’]t|doesn['’]t|does not"
    r"|falsch|inkorrekt|nicht|fausse?|incorrecte?|no es|n['’]est pas|errónea|incorrecta|falsa|incorreta"
    r"|errada|não é|sbagliata|errata|non è|не|неверн\w*|неправильн\w*)\b"
    r"|(?:是)?(?:错|不正确|不对|不符合|不成立|不是|有误|排除)"
    r"|(?:は|が|も)\s*(?:正しくな|間違|誤|不正解|適切でな|不適切|違)|(?:では|じゃ|でも[^、。]{0,12})\s*(?:な|あり)"
    r"|(?:은|는|가|이)?\s*(?:아니|아닙|틀|오답))"
)
"""What rules the option before it out."""

NOT: Final = (
    r"\b(?:not|neither|nor|never|(?<!none other )than|unlike|except|instead of|(?:any|every)thing but|all but"
    r"|rules? out|ruling out|eliminates?|excludes?|over|versus|vs\.?|nicht|weder|noch|statt|außer|pas|sauf"
    r"|plutôt que|ni|salvo|excepto|não é|não|no es|non è|non|né|не|ни)"
    r"|n['’]t|不是|不选|排除|除了|而非|而不是"
)
"""What rules out that which follows it."""

UNDECIDED: Final = (
    r"\b(?:both|either|neither|unsure|not sure|unclear|could be|may be|might be|cannot decide|entweder|sowohl"
    r"|soit|tanto|sia|либо)\b|都|不确定"
)
"""What leaves several open."""

SIMPLIFIED: Final = str.maketrans(
    "選擇應錯誤確對為題項綜認當實狀這剩從與還無沒會萬億兩點圓塊歲張條種類個",
    "选择应错误确对为题项综认当实状这剩从与还无没会万亿两点圆块岁张条种类个",
)
"""Traditional characters of such words as simplified ones."""
