"""Explain findings of the law engine as text: duties with reasons, citations and quotes."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.cross_border import Combined, UnionFinding
from forge_assets.law.engine import Facts, Finding, State
from forge_assets.law.headline import is_settled, ranked
from forge_assets.law.model import Bound, Condition, Domain, Evidence, Framework, Term
from forge_assets.law.terms import term_in_words

WIDTH = 110
Cite = Callable[[CitationKey], str]
"""Writes a citation key in its country's own form."""


def explain_findings(
    domain: Domain,
    frameworks: Mapping[str, Framework],
    statuses: Mapping[str, str],
    change: str,
    combined: Combined,
    cite: Cite,
) -> str:
    """Explain findings by country and union, strongest duty first; what does not apply follows, with its reason.

    Args:
        frameworks: by jurisdiction.
        statuses: provision id to verification status.
    """
    lines: list[str] = []
    for code, findings in combined.national.items():
        lines += [_headline(domain, frameworks[code].name, change, combined.facts[code]), ""]
        lines += _findings(domain, frameworks[code], statuses, findings, cite)
        if not any((f.applies and not f.provision.incomplete) or f.hinges_on for f in findings):
            lines[-1:] = [*_silence(frameworks[code], change, findings, cite), ""]
    for code, found in combined.union.items():
        union = frameworks[code]
        lines += [f"{union.name}: law above the countries asked about", ""]
        lines += _findings(domain, union, statuses, [u.finding for u in found], cite, _carried(found, cite))
    return "\n".join(lines).rstrip()


def explain_finding(finding: Finding) -> list[str]:
    """Explain what decided a finding: the trigger first, then what else was tested."""
    provision = finding.provision
    if finding.pulled:
        said = [f"triggered by {' and '.join(finding.pulled)}"]
    else:
        said = [f"not triggered: needs {' or '.join(provision.triggers)}"]
    if finding.state is State.NOT_YET:
        said.append(f"not in force before {provision.valid_from}")
    elif finding.state is State.NO_LONGER:
        said.append(f"no longer in force after {provision.valid_to}")
    elif finding.state is State.OPEN:
        said.append(f"not stated: {', '.join(finding.hinges_on)}")
    elif finding.state is State.JUDGED:
        said.append(f"only if {provision.only_if}")
    elif finding.tests:
        tried = "; or ".join(_bounds((test.fact, test.bound) for test in tests) for tests in finding.tests)
        said.append(f"threshold {'met' if finding.applies else 'not met'}: {tried}")
    return said


def condition_words(alternatives: Iterable[Condition]) -> str:
    """Explain what must hold, e.g. for a provision to apply; empty for always."""
    return "; or ".join(_bounds(condition.items()) for condition in alternatives)


def term_words(terms: Iterable[Term], anchors: Mapping[str, str]) -> str:
    """Explain terms, each with the case it is for: `within 15 days after the consultation begins`; empty for none.

    Args:
        anchors: name to clause, of the domain; a name that is not among them stands for itself.
    """
    return "; ".join(
        term_in_words(term, anchors) + (f" ({condition_words((term.when,))})" if term.when else "") for term in terms
    )


def _bounds(bounds: Iterable[tuple[str, Bound]]) -> str:
    return " and ".join(_bound(name, bound) for name, bound in bounds)


def _bound(name: str, bound: Bound) -> str:
    parts = []
    if bound.is_ is not None:
        parts.append(name if bound.is_ else f"no {name}")
    if bound.min is not None:
        parts.append(f"{name} at least {bound.min}")
    if bound.max is not None:
        parts.append(f"{name} at most {bound.max}")
    parts += [f"{name} {word} {percent(share)} of {bound.share_of}" for word, share in bound.shares.items()]
    return " and ".join(parts)


def percent(share: float) -> str:
    """Write a share in percent: `10%`, `33.3%`."""
    return f"{(Decimal(str(share)) * 100).normalize():f}%"


def _headline(domain: Domain, country: str, change: str, facts: Facts) -> str:
    return f"{country}: {domain.change_types[change].title} ({facts_in_words(facts) or 'no facts stated'})"


def facts_in_words(facts: Facts) -> str:
    """List facts as somebody states them: `employees 120, no works_council`."""
    return ", ".join(
        f"{name} {value}" if not isinstance(value, bool) else name if value else f"no {name}"
        for name, value in facts.items()
    )


def _findings(
    domain: Domain,
    framework: Framework,
    statuses: Mapping[str, str],
    findings: Sequence[Finding],
    cite: Cite,
    notes: Mapping[str, str] | None = None,
) -> Iterator[str]:
    place = {p.id: i for i, p in enumerate(ranked(domain, (f.provision for f in findings)))}
    order = sorted(findings, key=lambda f: place[f.provision.id])
    applying = [f for f in order if f.applies and not f.provision.incomplete]
    incomplete = [f for f in order if f.applies and f.provision.incomplete]
    asked = [f for f in order if f.hinges_on]
    judged = [f for f in order if f.state is State.JUDGED]
    failing = [f for f in order if f.triggered and not f.applies and not f.hinges_on and f not in judged]
    untouched = sum(not f.triggered and not f.hinges_on and f not in judged for f in findings)
    yield "  APPLIES" if applying else "  NOTHING APPLIES for certain"
    for finding in applying:
        yield from _duty(domain, framework, finding, statuses, cite)
        if notes and finding.provision.id in notes:
            yield f"      {notes[finding.provision.id]}"
    if incomplete:
        yield "  MAY APPLY, but what decides is not held"
        for finding in incomplete:
            yield from _duty(domain, framework, finding, statuses, cite)
    if asked:
        yield "  DEPENDS on facts that were not stated"
        for finding in asked:
            yield from _duty(domain, framework, finding, statuses, cite)
    if judged:
        yield "  APPLIES ONLY IF, which a person must judge"
        for finding in judged:
            yield from _duty(domain, framework, finding, statuses, cite)
    if failing:
        yield "  DOES NOT APPLY"
        for finding in failing:
            yield _short(finding, cite)
    if untouched:
        yield f"  {untouched} further provisions of {framework.name} are not touched by this change"
    yield ""


def _silence(framework: Framework, change: str, findings: Sequence[Finding], cite: Cite) -> Iterator[str]:
    """What it means that no provision applies."""
    if not is_settled(framework, change, findings):
        yield "  The texts held do not settle whether anything is owed."
    else:
        complete = framework.complete_for[change]
        yield "  Nothing is owed: the texts held are complete on this."
        yield from _wrapped(f"{complete.because} ({', '.join(cite(key) for key in complete.at)})")


def _duty(
    domain: Domain, framework: Framework, finding: Finding, statuses: Mapping[str, str], cite: Cite
) -> Iterator[str]:
    provision = finding.provision
    body = next(b for b in framework.bodies if b.id == provision.body)
    law = next(law for law in framework.laws if law.id == provision.cite.law)
    yield f"    {cite(provision.cite)}  [{provision.level.replace('_', '-')}, {body.english} ({body.name})]"
    yield from _wrapped(provision.summary)
    yield from _wrapped(f"why: {'; '.join(explain_finding(finding))}")
    for label, text in (("deadline", provision.deadline), ("consequence", provision.consequence)):
        if text:
            yield from _wrapped(f"{label}: {text}")
        if label == "deadline" and provision.term:
            yield from _wrapped(f"term: {term_words(provision.term, domain.anchors)}")
    if provision.incomplete:
        yield from _wrapped(f"incomplete: {provision.incomplete}")
    yield from _wrapped(f"«{' '.join(provision.quote.split())}»")
    for field, evidence in provision.said_at.items():
        words = ", ".join(_quoted(each, provision.cite, cite) for each in evidence)
        yield from _wrapped(f"{field.replace('_', ' ')} says: {words}")
    read = f", read again on {provision.reviewed.on}" if provision.reviewed else ""
    yield from _wrapped(f"{statuses.get(provision.id, 'unverified')}{read}, {law.title}, text of {law.text_as_of}")


def _quoted(evidence: Evidence, own: CitationKey, cite: Cite) -> str:
    """Words that bear out a field, with their place where it is another than the provision's own."""
    words = f"«{' '.join(evidence.words.split())}»"
    return words if evidence.at in (None, own) else f"{words} ({cite(evidence.at or own)})"


def _short(finding: Finding, cite: Cite) -> str:
    return textwrap.fill(
        f"{cite(finding.provision.cite)}: {explain_finding(finding)[-1]}",
        WIDTH,
        initial_indent="    ",
        subsequent_indent="      ",
    )


def _carried(found: Sequence[UnionFinding], cite: Cite) -> dict[str, str]:
    """How each finding of union law reaches the employer."""
    notes = {}
    for each in found:
        if each.direct:
            note = "binds employers directly"
        elif each.carried_by:
            note = f"carried by {', '.join(cite(key) for key in each.carried_by)}"
        else:
            note = "binds through national law; no national provision held here carries it in this case"
        notes[each.finding.provision.id] = note
    return notes


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="      ", subsequent_indent="      ")
