"""Finds statute citations in a text, whatever their written form and language."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from forge_assets.law.citation_classes import Situation, judge, situation
from forge_assets.law.citation_grammar import Part, Reference, read_chain
from forge_assets.law.citation_style import render, spoken
from forge_assets.law.citation_words import folded
from forge_assets.law.law_index import CitationStatus, LawIndex
from forge_assets.law.law_names import LawId, NamedLaw

__all__ = ["UNKNOWN", "Citation", "LawIndex", "Situation", "judge", "parse", "render", "situation", "spoken"]

UNKNOWN = "ZZ"
"""Jurisdiction in the key of a citation whose law is not known, e.g. `ZZ:arbzg:4`."""

_ABBREVIATION = re.compile(r"[^\W\d_][\w-]{0,30}(?:\.\s?[^\W\d_]{1,8}\.)*(?:\s\d{1,4}/\d{4})?")
_CLOSED = re.compile(r"[.\u00ba\u00b0](?![^\W_])|\)(?![^\W_]|[,.;:])")
_ENDED = re.compile(r"\s?(?:[).;:\]]|$)")
_NEAR = " \t\u00a0\u202f,:(*"


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
            or the only one there is. By default the one country whose laws the text names, if it is one.

    Returns:
        One citation a place; a range gives each unit of the text held between its ends.
    """
    mentions = laws.names.all(text)
    mentions = [_settled(text, mention, laws) for mention in mentions]
    home = default_jurisdiction or _only_country(mentions)
    citations: list[Citation] = []
    position = 0
    while head := laws.forms.head.search(text, position):
        inside = bisect_right(mentions, head.start(), key=lambda m: m.start) - 1
        if inside >= 0 and mentions[inside].start < head.start() < mentions[inside].end:
            position = mentions[inside].end
            continue
        chain = read_chain(text, head, laws.forms, position)
        if not chain:
            position = head.end("units") if head["units"] else max(head.end(), head.start() + 1)
            continue
        found, position = _cited(text, chain, mentions, home, default_jurisdiction, laws, position)
        citations += found
    return citations


def _only_country(mentions: Sequence[NamedLaw]) -> str | None:
    countries = {law[0] for mention in mentions for law in mention.laws}
    return countries.pop() if len(countries) == 1 else None


def _settled(text: str, mention: NamedLaw, laws: LawIndex) -> NamedLaw:
    """A mention narrowed to the one law meant: that of the country named with it, or whose chief name it is."""
    if len(mention.laws) == 1:
        return mention
    country = laws.country_after(text, mention.end) or laws.country_before(text, mention.start)
    of_country = [law for law in mention.laws if law[0] == country]
    meant = of_country or _chief(text[mention.start : mention.end], mention, laws)
    return replace(mention, laws=frozenset(meant)) if len(meant) == 1 else mention


def _chief(written: str, name: NamedLaw, laws: LawIndex) -> list[LawId]:
    held = {law: laws.laws[law].law for law in name.laws}
    return [key for key, law in held.items() if written.casefold() in (law.short.casefold(), law.title.casefold())]


def _cited(
    text: str,
    chain: list[Reference],
    mentions: Sequence[NamedLaw],
    home: str | None,
    default: str | None,
    laws: LawIndex,
    floor: int,
) -> tuple[list[Citation], int]:
    """The citations of one chain, and where reading goes on."""
    finish = chain[-1].end
    if _is_no_law(text, finish, laws):
        chain.pop()  # the places before may be of a law that is named before them
        if not chain:
            return [], finish
    name = _name_after(text, chain[-1].end, laws)
    unknown = None if name else _unknown_after(text, chain[-1].end, laws)
    if unknown and unknown[0][0].islower() and "." in unknown[0]:
        before = _name_before(text, chain[0].start, mentions, laws, floor)
        name, unknown = (before, None) if before else (name, unknown)
    same = None if name or unknown else _same_law(text, chain, mentions, laws)
    doubtful = not name and not unknown and not same
    if doubtful:
        while chain[-1].bare and not chain[-1].joined.isalpha() and not _ENDED.match(text, chain[-1].end):
            chain.pop()
        name = _name_before(text, chain[0].start, mentions, laws, floor)
        doubtful = name is None
        unknown = None if name else _unknown_before(text, chain[0].start, chain[-1].end, laws, floor)
    law = same or (_chosen(text, name, chain, home, laws) if name else None)
    if law is None and not name and unknown is None and home:
        law = _law_meant(mentions, chain[0].start, home)
        if law is None and default:
            law = laws.holding(default, chain[0]) or (None if _is_prose(chain) else laws.only_law(default))
    end = max(chain[-1].end, name.end if name else 0, unknown[1] if unknown else 0)
    if law is None and not name and unknown is None and _is_prose(chain):
        return [], chain[-1].end
    label = re.sub(r"\W+", "_", unknown[0]).strip("_").lower() if unknown else "unknown"
    found: list[Citation] = []
    for i, reference in enumerate(chain):
        first = min(reference.start, name.start) if name and i == 0 else reference.start
        span = first, end if i == len(chain) - 1 else reference.end
        if law is None:
            if i and reference.head != chain[0].head and laws.forms.words.may_be_part(folded(reference.head)):
                continue
            found.append(_citation(text, span, f"{UNKNOWN}:{label}:{reference.unit}", "unverifiable"))
            continue
        if i and laws.continues(law, reference.head) and reference.head != chain[0].head:
            if not chain[i - 1].parts and text[chain[i - 1].end : reference.start].strip() == "," and found:
                span = found.pop().span[0], span[1]
            reference = chain[i] = _continued(chain[i - 1], reference)
        places = laws.places(law, reference)
        if doubtful and reference.bare and any(laws.status(law, *place) != "real" for place in places):
            break  # a number in prose that looked like one more place
        for place in places:
            key = ":".join([*law, *(part for part in place if part)])
            if found and found[-1].key == key and laws.is_narrow(law, reference):
                continue
            found.append(_citation(text, span, key, laws.status(law, *place)))
    return found, max(end, finish)


def _citation(text: str, span: tuple[int, int], key: str, status: CitationStatus) -> Citation:
    return Citation(key, span, text[span[0] : span[1]], status)


def _continued(before: Reference, reference: Reference) -> Reference:
    """A part that was read as a unit, as `§ 2` in `art. 22² § 1 i § 2 k.p.`"""
    part = Part(reference.head, reference.unit)
    kept = before.parts[:-1] if before.parts and before.parts[-1].word == part.word else before.parts[:0]
    return replace(reference, unit=before.unit, head=before.head, parts=(*kept, part, *reference.parts))


def _is_prose(chain: Sequence[Reference]) -> bool:
    """`section 3` alone is the section of a report, not of a law; `§ 3` is one."""
    return len(chain) == 1 and not chain[0].parts and not chain[0].last and chain[0].head[:1] != "§"


def _chosen(text: str, name: NamedLaw, chain: Sequence[Reference], home: str | None, laws: LawIndex) -> LawId | None:
    """Which of the laws that bear a name is meant.

    That of the country named with it; one that has the unit, best of the country in question; that country's own; the
    one whose chief name it is.
    """
    if len(name.laws) == 1:
        return next(iter(name.laws))
    country = laws.country_after(text, name.end) or laws.country_before(text, name.end)
    for choice in (
        [law for law in name.laws if law[0] == country],
        [law for law in name.laws if law[0] == home and laws.laws[law].unit(chain[0].unit)],
        [law for law in name.laws if laws.laws[law].unit(chain[0].unit)],
        [law for law in name.laws if law[0] == home],
        _chief(text[name.start : name.end], name, laws),
    ):
        if len(choice) == 1:
            return choice[0]
    return None


def _is_no_law(text: str, at: int, laws: LawIndex) -> bool:
    """Whether the text goes on with `of this agreement` and the like."""
    found = laws.forms.no_law.match(text, at)
    if found is None or any(laws.forms.same_law.match(text, place) for place in _places_after(text, at, laws)):
        return False
    return laws.names.at(text, _places_after(text, at, laws)[-1]) is None


def _same_law(text: str, chain: Sequence[Reference], mentions: Sequence[NamedLaw], laws: LawIndex) -> LawId | None:
    """The law named before, where the text goes on with words such as `of that Act`."""
    before = bisect_right(mentions, chain[0].start, key=lambda m: m.end) - 1
    if before < 0:
        return None
    after = any(laws.forms.same_law.match(text, at) for at in _places_after(text, chain[-1].end, laws))
    if not after and not laws.forms.ends_with_same_law.search(text, max(0, chain[0].start - 40), chain[0].start):
        return None
    found = mentions[before].laws
    return next(iter(found)) if len(found) == 1 else None


def _name_after(text: str, at: int, laws: LawIndex) -> NamedLaw | None:
    for place in _places_after(text, at, laws):
        name = laws.names.at(text, place)
        if name:
            return _with_short_name(text, name, laws)
    return None


def _with_short_name(text: str, name: NamedLaw, laws: LawIndex) -> NamedLaw:
    """The name together with the same law's other name in brackets behind it, which may settle whose law it is."""
    bracket = re.compile(r"[ \t\u00a0\u202f]?[(,]\s?").match(text, name.end)
    again = laws.names.at(text, bracket.end()) if bracket else None
    if again is None or not (common := again.laws & name.laws):
        return name
    closed = text[again.end : again.end + 1] == ")"
    return NamedLaw(common, name.start, again.end + closed)


def _unknown_after(text: str, at: int, laws: LawIndex) -> tuple[str, int] | None:
    """The name of a law that is not held, and its end."""
    for place in _places_after(text, at, laws):
        if "," in text[at:place]:
            break
        found = laws.forms.other_law.match(text, place)
        if found:
            stop = [m.start() for m in (laws.forms.join.search(found[0]), laws.forms.head.search(found[0])) if m]
            end = found.start() + min([s for s in stop if s > 0], default=len(found[0]))
            return text[place:end], end
        word = _ABBREVIATION.match(text, place)
        if word is None:
            continue
        capitals = sum(c.isupper() for c in word[0])
        connected = bool(text[at:place].strip(" \t\u00a0\u202f,().º°"))
        dotted = "." in word[0] and len(word[0]) > 3
        if capitals >= 2 or (connected and word[0][0].isupper() and len(word[0]) > 2) or dotted:
            return word[0], word.end()
    return None


def _unknown_before(text: str, start: int, end: int, laws: LawIndex, floor: int) -> tuple[str, int] | None:
    """The name of a law that is not held, right before a place: `ferieloven § 5`."""
    found = laws.forms.ends_with_other_law.search(text, max(floor, start - 60), start)
    return (found[0].strip(" ,\u00a0"), end) if found else None


def _places_after(text: str, at: int, laws: LawIndex) -> list[int]:
    """Where a law's name may begin: behind brackets, articles and the like."""
    if _CLOSED.match(text, at):
        at += 1
    places = [at]
    while len(places) < 14 and (step := laws.forms.of.match(text, places[-1])):
        places.append(step.end())
    return places


def _name_before(text: str, start: int, mentions: Sequence[NamedLaw], laws: LawIndex, floor: int) -> NamedLaw | None:
    before = bisect_right(mentions, start, key=lambda m: m.end) - 1
    if before < 0 or mentions[before].start < floor:
        return None
    between = laws.forms.wider.sub("", text[mentions[before].end : start].lstrip(_NEAR))
    between = re.sub(r"^(?::?[^\W\d_]{1,4}\b|\([^()]{2,40}\))", "", between) if between.strip(_NEAR) else between
    if between.strip(_NEAR + ")"):
        return None
    return replace(mentions[before], end=start)


def _law_meant(mentions: Sequence[NamedLaw], start: int, home: str) -> LawId | None:
    before = bisect_right(mentions, start, key=lambda m: m.end) - 1
    while before >= 0:
        at_home = [law for law in mentions[before].laws if law[0] == home]
        if len(at_home) == 1:
            return at_home[0]
        before -= 1
    everywhere = {law for mention in mentions for law in mention.laws if law[0] == home}
    return everywhere.pop() if len(everywhere) == 1 else None
