"""Answer questions about one provision: what a place says, and which place says something."""

from __future__ import annotations

from forge_assets.law.model import Domain, Provision
from forge_assets.scenarios.answers.case import Field, SectionText
from forge_assets.scenarios.answers.law_text import LawText
from forge_assets.scenarios.answers.writer import Writer, capital


def place_says(domain: Domain, writer: Writer, law: LawText, provision: Provision) -> SectionText:
    """Write what a provision says, in its words, whom it is owed to and by when."""
    place, quote = law.place(provision.cite), law.quote(provision)
    if law.english:
        first = writer.say("place_says", place=place, gist=capital(law.gist(provision)), quote=quote)
    else:
        first = writer.say("place_quoted", place=place, quote=quote)
    return _with_owed(domain, writer, law, provision, first)


def place_found(domain: Domain, writer: Writer, law: LawText, provision: Provision) -> SectionText:
    """Write which place it is, and whom the duty is owed to."""
    place = law.place(provision.cite)
    if law.english:
        found = writer.say("place_found", place=place, gist=law.gist(provision))
        return _with_owed(domain, writer, law, provision, found)
    level, body = law.level(provision.level), law.body(provision.body)
    return SectionText(writer.say("place_found_quoted", place=place, level=level, body=body), _body(law, provision))


def _with_owed(domain: Domain, writer: Writer, law: LawText, provision: Provision, first: str) -> SectionText:
    phrase = "owed" if provision.level in domain.levels else "concerns"
    said = [first, writer.say(phrase, level=law.level(provision.level), body=law.body(provision.body))]
    if deadline := law.deadline(provision):
        said.append(writer.say("by_when", deadline=deadline))
    return SectionText(" ".join(said), _body(law, provision))


def _body(law: LawText, provision: Provision) -> tuple[Field, ...]:
    body = next(b for b in law.framework.bodies if b.id == provision.body)
    return (Field("body", (body.english, body.name) if law.english and body.english != body.name else (body.name,)),)
