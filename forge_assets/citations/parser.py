"""Find statute citations in a text, whatever their written form and language."""

from __future__ import annotations

import re
from dataclasses import replace

from forge_assets.citations.attribution import Attribution, Attributor
from forge_assets.citations.citation import UNKNOWN, Citation
from forge_assets.citations.grammar import read_bare, read_chain, read_elliptic
from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.law_names import LawId, NamedLaw
from forge_assets.citations.mentions import Mentions
from forge_assets.citations.normalized_text import CleanText
from forge_assets.citations.parts import Part, Reference
from forge_assets.citations.patterns import S
from forge_assets.citations.statute_index import CitationStatus
from forge_assets.citations.vocabulary import folded
from forge_assets.law.citation_key import CitationKey

_NEAR = 24
"""Letters between a place and its law's name, at most, for a list to go on behind it."""
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(rf"{S}([a-z]){S}")


def parse(text: str, laws: LawIndex, default_jurisdiction: str | None = None) -> list[Citation]:
    """Find every statute citation of a text, in order, in whatever normal form and however wrapped it is written.

    Args:
        laws: as `forge_assets.citations.load` gives them.
        default_jurisdiction: code of the country whose law a citation without a law's name means: the nearest one
            named before, or the only one there is. By default the one country whose laws the text names, if it is one.

    Returns:
        One citation a place, its span and text as given; a range gives each unit of the text held between its ends.

    Raises:
        ValueError: the code is no country's.
    """
    if default_jurisdiction is not None:
        default_jurisdiction = laws.known(default_jurisdiction)
    clean = CleanText.of_markup(text)
    found = _parse(clean.text, laws, default_jurisdiction)
    if clean.text is text:
        return found
    spans = [clean.span(*citation.span) for citation in found]
    return [replace(one, span=span, text=text[slice(*span)]) for one, span in zip(found, spans, strict=True)]


def _parse(text: str, laws: LawIndex, default_jurisdiction: str | None) -> list[Citation]:
    mentions = Mentions.of(text, laws, default_jurisdiction)
    found = Attributor(mentions, default_jurisdiction).attribute(_chains(text, mentions, laws))
    return [citation for attribution in found if attribution for citation in _cited(text, attribution, laws)]


def _chains(text: str, mentions: Mentions, laws: LawIndex) -> list[list[Reference]]:
    """Every chain of places of a text, in order."""
    chains: list[list[Reference]] = []
    position = floor = 0
    heads = laws.forms.heads(text)
    bare = [chain for mention in mentions.named if (chain := _bare(text, mention, laws))]
    while head := heads.next(position):
        while bare and bare[0][0].start < head.start():
            floor = max(floor, _add(chains, bare.pop(0), floor))
        name = mentions.around(head.start())
        if name or head.start() < floor:
            position = name.end if name else floor
            continue
        chain = read_chain(text, _closed_later(text, head, laws), laws.forms, floor)
        if chain:
            chains.append(chain)
            floor = chain[-1].end
            while further := _elliptic(text, chains[-1][-1], mentions, laws):
                chains.append(further)
                floor = further[-1].end
            position = floor
        else:
            position = head.end("units") if head["units"] else max(head.end(), head.start() + 1)
    for chain in bare:
        floor = max(floor, _add(chains, chain, floor))
    return chains


def _elliptic(text: str, before: Reference, mentions: Mentions, laws: LawIndex) -> list[Reference]:
    """A place behind the law of the one before, with a law of its own: `17 KSchG` in `§§ 102 BetrVG, 17 KSchG`."""
    named = mentions.after(before.end)
    if named is None or named.start - before.end > _NEAR or not _DIGIT.search(text, named.end, named.end + _NEAR):
        return []
    chain, law_at = read_elliptic(text, before, named.end, laws.forms)
    if not chain or mentions.at(law_at) is None or laws.forms.head.search(text, before.end, named.start):
        return []
    return chain


def _add(chains: list[list[Reference]], chain: list[Reference], floor: int) -> int:
    if chain[0].start >= floor:
        chains.append(chain)
    return chain[-1].end


def _bare(text: str, mention: NamedLaw, laws: LawIndex) -> list[Reference]:
    """The place whose number stands right behind a law's name, where its country writes so and the law may have it."""
    if not any(laws.is_bare(law[0]) for law in mention.laws):
        return []
    chain = read_bare(text, mention.end, laws.forms)
    if not chain:
        return []
    known = any(laws.laws[law].unit(chain[0].unit) for law in mention.laws)
    return chain if known or chain[0].unit[-1].isalpha() or chain[0].parts else []


def _closed_later(text: str, head: re.Match[str], laws: LawIndex) -> re.Match[str]:
    """The head that a word of one letter stands before, where the unit's word follows its number: `s 153. členom`."""
    opened = (head["one"] or "").strip()
    if len(opened) == 1 and opened.isalpha():
        closed = laws.forms.head.match(text, head.end())
        if closed and closed["units"]:
            return closed
    return head


def _cited(text: str, found: Attribution, laws: LawIndex) -> list[Citation]:
    """The citations of one chain."""
    chain, law = list(found.chain), found.law
    citations: list[Citation] = []
    for i, reference in enumerate(chain):
        other_head = i > 0 and reference.head != chain[0].head
        start = reference.start if i else found.start
        end = found.end if i == len(chain) - 1 else reference.end
        if law is None:
            if not (other_head and laws.forms.words.may_be_part(folded(reference.head))):
                key = CitationKey(UNKNOWN, found.label, reference.unit)
                status: CitationStatus = "unverifiable" if found.label == "unknown" else "unheld"
                citations.append(Citation(key, (start, end), text[start:end], status))
            continue
        if other_head and laws.continues(law, reference.head):
            before = chain[i - 1]
            if not before.parts and citations and text[before.end : reference.start].strip() == ",":
                start = citations.pop().span[0]
            reference = chain[i] = _continued(before, reference)
        if i == len(chain) - 1 and not reference.parts:
            reference = _lettered(text, reference, law, laws)
        places = laws.places(law, reference)
        if found.doubtful and reference.bare and any(laws.status(law, *place) != "real" for place in places):
            break  # a number in prose that looked like one more place
        for place in places:
            key = CitationKey(*law, *(part or "" for part in place))
            if not (citations and citations[-1].key == key and laws.is_narrow(law, reference)):
                status = "ambiguous" if found.guessed else laws.status(law, *place)
                citations.append(Citation(key, (start, end), text[start:end], status))
    return citations


def _lettered(text: str, reference: Reference, law: LawId, laws: LawIndex) -> Reference:
    """A place whose unit's letter stands behind a blank and before the law's name: `§ 613 a BGB`."""
    letter = _LETTER.match(text, reference.end)
    if letter is None or laws.laws[law].unit(reference.unit) or not laws.laws[law].unit(reference.unit + letter[1]):
        return reference
    return replace(reference, unit=reference.unit + letter[1], end=letter.end(1))


def _continued(before: Reference, reference: Reference) -> Reference:
    """A part that was read as a unit, as `§ 2` in `art. 22² § 1 i § 2 k.p.`"""
    part = Part(folded(reference.head), reference.unit)
    kept = before.parts[:-1] if before.parts and before.parts[-1].word == part.word else before.parts[:0]
    return replace(reference, unit=before.unit, head=before.head, parts=(*kept, part, *reference.parts))
