"""Write a citation key in the form its country uses, or in English."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from forge_assets.citations.vocabulary import words_of
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.model import CitationForms, Framework, Provision
from forge_assets.law.statutes import NO_PARAGRAPH

_WORDINGS = ("summary", "deadline", "consequence", "only_if")
"""Fields of a provision that are written for a reader."""
Style = Literal["national", "english"]
PLAIN = "art. {unit}[({paragraph})][({number})][({letter})] {law}"
PLAIN_ENGLISH = "Article {unit}[({paragraph})][({number})][({letter})] of the {law}"

_OPTIONAL = re.compile(r"\[([^\[\]]*\{(\w+)\}[^\[\]]*)\]")
_SUPERSCRIPTS = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
_LATIN = r"(?:bis|ter|quater|quinquies)"


def render(key: CitationKey, framework: Framework, style: Style = "national") -> str:
    """Write a key in its country's canonical form, e.g. `§ 87 Abs. 1 Nr. 6 BetrVG`, or in English.

    Raises:
        KeyError: the framework has no such law.
    """
    unit, point = key.unit, key.point
    law = {known.id: known for known in framework.laws}[key.law]
    if style == "english":
        template = law.english_written or framework.citation.english or PLAIN_ENGLISH
    else:
        template = law.written or framework.citation.written or PLAIN
    named = next((t for start, t in framework.citation.named.items() if unit.startswith(start)), None)
    if named:
        template = template[template.index("{unit}") :]
    fields = {
        "unit": _named(unit, framework) if named else _unit(unit),
        "paragraph": "" if key.paragraph == NO_PARAGRAPH else key.paragraph,
        "number": point if point[:1].isdigit() else "",
        "letter": "" if point[:1].isdigit() else point,
        "law": law.english if style == "english" else law.short,
    }
    text = _OPTIONAL.sub(lambda m: m[1] if fields[m[2]] else "", template)
    text = re.sub(r"\{number\}°", lambda _: re.sub(r"^(\d+)(\w*)$", r"\1° \2", fields["number"]).strip(), text)
    return re.sub(r"\{(\w+)\}", lambda m: fields[m[1]], text)


def without_bracketed_citations(framework: Framework, usage: CitationForms) -> Framework:
    """Remove the citations that a framework's wordings give in brackets for a reader.

    `open to appeal (art. 26(1))` becomes `open to appeal`; an answer cites what it is asked for and nothing beside it.

    Args:
        usage: how places are written in English, besides the country's own forms.
    """
    brackets = _places_in_brackets((framework.citation, usage))

    def plain(text: str | None) -> str | None:
        return brackets.sub("", text) if text else text

    def worded(provisions: Iterable[Provision]) -> tuple[Provision, ...]:
        return tuple(p.model_copy(update={name: plain(getattr(p, name)) for name in _WORDINGS}) for p in provisions)

    steps = [step.model_copy(update={"step": plain(step.step)}) for step in framework.escalation]
    rules = {
        topic: tuple(rule.model_copy(update={"rule": plain(rule.rule)}) for rule in getattr(framework, topic))
        for topic in ("data_protection", "collective_agreements")
    }
    update = {"provisions": worded(framework.provisions), "escalation": tuple(steps), **rules}
    return framework.model_copy(update=update).leaving_out(worded(framework.minor))


def _places_in_brackets(forms: tuple[CitationForms, ...]) -> re.Pattern[str]:
    templates = [t for form in forms for t in (*form.units, *form.many)]
    opening = "|".join(re.escape(words_of(t).rstrip(".")) for t in templates if t.endswith("}")) or "(?!)"
    closing = "|".join(re.escape(words_of(t)) for t in templates if t.startswith("{")) or "(?!)"
    place = rf"(?:{opening})(?!\w)\.?\s?[^()\d]{{0,4}}\d|\d[^()]{{0,12}}(?:{closing})"
    return re.compile(rf"\s?\((?={place})[^()]*(?:\([^()]*\)[^()]*)*\)", re.IGNORECASE)


def _named(unit: str, framework: Framework) -> str:
    """A unit known by a name, e.g. `Annex III`."""
    start = next(start for start in framework.citation.named if unit.startswith(start))
    return framework.citation.named[start][0].replace("{w}", unit.removeprefix(start))


def _unit(number: str) -> str:
    """A unit's number as written: `L. 1233-8`, `47 bis`, `22²`."""
    number = re.sub(r"^([^\W\d_])\.?(?=\d)", r"\1. ", number)
    number = re.sub(rf"(?<=\d)({_LATIN})$", r" \1", number)
    return re.sub(r"\((\d)\)$", lambda m: _SUPERSCRIPTS[int(m[1])], number)
