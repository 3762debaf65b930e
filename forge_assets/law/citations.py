"""Finds statute citations in a text, whatever their written form, and writes a key in its country's form."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from forge_assets.law.citation_grammar import HEAD, Reference, read_chain
from forge_assets.law.law_index import CitationStatus, LawId, LawIndex, NamedLaw
from forge_assets.law.model import Framework
from forge_assets.law.statutes import NO_PARAGRAPH

__all__ = ["Citation", "LawIndex", "parse", "render"]

UNKNOWN = "ZZ"
"""Jurisdiction in the key of a citation whose law is not known, e.g. `ZZ:bdsg:26`."""

_S = r"[ \t\u00a0\u202f]"
_CONNECTOR = re.compile(
    rf"{_S}|[,(*]|(?:of|the|du|de|la|del|der|des|dem|van|German|Austrian|French|Dutch|Spanish)\b|l['\u2019]"
)
_UNKNOWN_NAME = re.compile(r"[A-ZÄÖÜ][\w-]{0,30}[A-ZÄÖÜ]\w{0,30}(?:\s\d{1,4}/\d{4})?|[A-Z]\.\s?[a-z]{2,8}\.")
_UNKNOWN_TITLE = re.compile(
    r"(?:[A-ZÄÖÜÉ][\w-]{2,40}|code|loi|ley|wet|règlement|directive)(?:\s[A-ZÄÖÜÉ]\w{1,40}){0,6}"
)
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10}


@dataclass(frozen=True)
class Citation:
    """A citation found in a text; `key` is `JURISDICTION:law:unit[:paragraph[:point]]`."""

    key: str
    span: tuple[int, int]
    text: str
    status: CitationStatus

    @property
    def jurisdiction(self) -> str:
        """The country cited, `ZZ` if the law is not known."""
        return self.key[:2]


def parse(text: str, laws: LawIndex, default_jurisdiction: str | None = None) -> list[Citation]:
    """Find every statute citation of a text, in order.

    Args:
        default_jurisdiction: whose law a citation without a law's name means: the nearest one named before,
            or the only one there is. Without it such a citation is unverifiable.

    Returns:
        One citation a place; a range gives each unit of the text held between its ends.
    """
    mentions = laws.mentions(text)
    domestic = [mention for mention in mentions if mention.law[0] == default_jurisdiction]
    citations: list[Citation] = []
    position = 0
    while head := HEAD.search(text, position):
        chain = read_chain(text, head)
        if not chain:
            position = head.end() + 1
            continue
        name = _name_after(text, chain[-1].end, laws)
        unknown = None if name else _unknown_after(text, chain[-1].end)
        if not name and not unknown:
            while chain[-1].bare:
                chain.pop()
            name = _name_before(text, head.start(), mentions, floor=position)
        law = name.law if name else None
        if law is None and unknown is None and default_jurisdiction:
            law = _law_meant(domestic, head.start()) or laws.only_law(default_jurisdiction)
        end = max(chain[-1].end, name.end if name else 0, unknown.end() if unknown else 0)
        if name or unknown or not _is_prose(head, chain):
            label = re.sub(r"\W+", "_", unknown[0]).strip("_").lower() if unknown else "unknown"
            for i, reference in enumerate(chain):
                first = min(reference.start, name.start) if name and i == 0 else reference.start
                span = first, end if i == len(chain) - 1 else reference.end
                citations += _cite(text, span, reference, law, label, laws)
        position = end
    return citations


def _is_prose(head: re.Match[str], chain: Sequence[Reference]) -> bool:
    """`section 3` alone is the section of a report, not of a law."""
    return head[0].lower().startswith("section") and len(chain) == 1 and chain[0].level == "unit"


def _name_after(text: str, at: int, laws: LawIndex) -> NamedLaw | None:
    for place in _places_after(text, at):
        name = laws.named(text, place)
        if name:
            short = re.compile(rf"{_S}?\(").match(text, name.end)
            again = laws.named(text, short.end()) if short else None
            closed = again and again.law == name.law and text[again.end : again.end + 1] == ")"
            end = again.end + 1 if again and closed else name.end
            return NamedLaw(name.law, name.start, end)
    return None


def _unknown_after(text: str, at: int) -> re.Match[str] | None:
    for place in _places_after(text, at):
        name = _UNKNOWN_NAME.match(text, place)
        if name is None and text[at:place].strip(" \t\u00a0\u202f,("):
            name = _UNKNOWN_TITLE.match(text, place)
        if name:
            return name
    return None


def _places_after(text: str, at: int) -> list[int]:
    places = [at]
    while len(places) < 12 and (step := _CONNECTOR.match(text, places[-1])):
        places.append(step.end())
    return places


def _name_before(text: str, start: int, mentions: Sequence[NamedLaw], floor: int) -> NamedLaw | None:
    before = bisect_right(mentions, start, key=lambda m: m.end) - 1
    if before < 0 or mentions[before].start < floor or text[mentions[before].end : start].strip(" ,:\u00a0"):
        return None
    return NamedLaw(mentions[before].law, mentions[before].start, start)


def _law_meant(domestic: Sequence[NamedLaw], start: int) -> LawId | None:
    before = bisect_right(domestic, start, key=lambda m: m.end) - 1
    return domestic[before].law if before >= 0 else None


def _cite(
    text: str, span: tuple[int, int], ref: Reference, law: LawId | None, label: str, laws: LawIndex
) -> list[Citation]:
    paragraph, point = ref.paragraph, ref.point
    if paragraph in _ROMAN and law and laws.languages[law] != "fr":
        paragraph = str(_ROMAN[paragraph])
    if point and not paragraph:
        paragraph = NO_PARAGRAPH
    places = [(ref.unit, paragraph, point)]
    if ref.last and ref.level == "unit":
        units = laws.between(law, ref.unit, ref.last) if law else [ref.unit, ref.last]
        places = [(unit, None, None) for unit in units]
    elif ref.last and ref.level == "paragraph":
        places = [(ref.unit, str(n), None) for n in range(int(paragraph or 0), int(ref.last) + 1)]
    elif ref.last:
        places = [(ref.unit, paragraph, str(n)) for n in range(int(point or 0), int(ref.last) + 1)]
    jurisdiction, law_id = law or (UNKNOWN, label)
    return [
        Citation(
            ":".join([jurisdiction, law_id, *(part for part in place if part)]),
            span,
            text[span[0] : span[1]],
            laws.status(law, *place) if law else "unverifiable",
        )
        for place in places
    ]


def render(key: str, framework: Framework) -> str:
    """Write a key in its country's own form, e.g. `§ 87 Abs. 1 Nr. 6 BetrVG`.

    Raises:
        KeyError: the framework has no such law.
    """
    jurisdiction, law, unit, *rest = key.split(":")
    paragraph = rest[0] if rest and rest[0] != NO_PARAGRAPH else ""
    point = rest[1] if len(rest) > 1 else ""
    short = {known.id: known.short for known in framework.laws}[law]
    unit = re.sub(r"(?<=\d)(bis|ter|quater|quinquies)$", r" \1", unit)
    match jurisdiction:
        case "DE" | "AT":
            sign = "Nr." if jurisdiction == "DE" else "Z"
            place = f"§ {unit}" + f" Abs. {paragraph}" * bool(paragraph) + f" {sign} {point}" * bool(point)
        case "FR":
            degree = re.sub(r"^(\d+)(\w*)$", r"\1° \2", point).strip()
            place = "art. " + re.sub(r"^([LRD])", r"\1. ", unit)
            place += f", {paragraph}" * bool(paragraph) + f", {degree}" * bool(point)
        case "NL":
            place = f"art. {unit}" + f" lid {paragraph}" * bool(paragraph) + f" onder {point}" * bool(point)
        case "ES":
            place = f"art. {unit}" + f".{paragraph}" * bool(paragraph) + f" {point})" * bool(point)
        case _:
            place = f"art. {unit}" + f"({paragraph})" * bool(paragraph) + f"({point})" * bool(point)
    return f"{place} {short}"
