"""Read the files of a domain pack, and check every name that one of them uses."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from forge_assets.law.citation_key import CitationKey
from forge_assets.law.model import CHANGE, Bound, Condition, Domain, Framework, Provision, SaidAt, Term
from forge_assets.law.settling import settle
from forge_resources.config.strict_yaml import FieldPath, Lines, Problem, nearest, read_yaml, refuse, validate


def load_domain(pack: Path) -> Domain:
    """Read `domain.yaml` of a pack.

    Raises:
        SourceError: the file does not say a consistent domain.
    """
    path = pack / "domain.yaml"
    data, lines = read_yaml(path)
    domain = validate(Domain, path, data, lines)
    refuse(path, lines, _domain_problems(domain))
    return domain


def load_framework(path: Path, domain: Domain) -> Framework:
    """Read one jurisdiction of a pack, check every reference it makes, and settle who is owed what.

    Raises:
        SourceError: the file does not say a consistent framework of this domain.
    """
    return settle(domain, read_framework(path, domain)[0])


def read_framework(path: Path, domain: Domain) -> tuple[Framework, Lines]:
    """Read one jurisdiction as it is written, with the line of each of its fields; `settle` is still to come.

    Raises:
        SourceError: the file does not say a consistent framework of this domain.
    """
    data, lines = read_yaml(path)
    framework = validate(Framework, path, data, lines)
    refuse(path, lines, _empty_fields((), data))
    problems = list(_framework_problems(framework, domain))
    refuse(path, lines, problems or _settling_problems(framework, domain))
    return framework, lines


def _empty_fields(at: FieldPath, value: Any) -> Iterable[Problem]:
    """Fields that are named and have no value: an empty condition must not read as none."""
    if value is None or (isinstance(value, str) and not value.strip()):
        yield at, f"`{at[-1]}` has no value", "give one, or remove the field"
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _empty_fields((*at, name), part)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _empty_fields((*at, place), part)


def _settling_problems(framework: Framework, domain: Domain) -> Iterable[Problem]:
    """What keeps a provision from ever applying, and ids that a substitute's duty would share with another."""
    taken = {provision.id for provision in framework.provisions}
    for i, provision in enumerate(framework.provisions):
        try:
            alone = settle(domain, framework.model_copy(update={"provisions": (provision,)}))
        except ValueError as error:
            yield ("provisions", i, "body"), str(error), "correct its `applies_when`, or the body's `exists_when`"
            continue
        for made in alone.provisions[1:]:
            if made.id in taken:
                what = f"the duty to its substitute `{made.body}` would be called `{made.id}`, as another is"
                yield ("provisions", i, "id"), what, "rename one of the two provisions"
            taken.add(made.id)


def _unknown(at: FieldPath, kind: str, name: str, known: Iterable[str]) -> Iterable[Problem]:
    names = list(known)
    if name not in names:
        yield at, f"unknown {kind} `{name}`", nearest(name, names)


def _domain_problems(domain: Domain) -> Iterable[Problem]:
    for name, change in domain.change_types.items():
        at: FieldPath = ("change_types", name)
        for i, trigger in enumerate(change.triggers):
            yield from _unknown((*at, "triggers", i), "trigger", trigger, domain.triggers)
        for i, fact in enumerate(change.facts):
            yield from _unknown((*at, "facts", i), "fact", fact, domain.facts)
        booleans = _booleans(domain)
        for i, conditional in enumerate(change.conditional_triggers):
            here = (*at, "conditional_triggers", i)
            yield from _unknown((*here, "fact"), "boolean fact", conditional.fact, booleans)
            yield from _unknown((*here, "trigger"), "trigger", conditional.trigger, domain.triggers)
    for name, declared in domain.facts.items():
        for i, said_of in enumerate(declared.changes):
            yield from _unknown(("facts", name, "changes", i), "change type", said_of, domain.change_types)
        if declared.requires is not None:
            yield from _unknown(("facts", name, "requires"), "boolean fact", declared.requires, _booleans(domain))
    for name in domain.level_words:
        yield from _unknown(("level_words", name), "level", name, domain.ranks)
    for name in domain.other_duties:
        if name in domain.levels:
            yield ("other_duties", name), f"`{name}` is a level too", "keep one of them"
    for trigger, fact in domain.numbers_of.items():
        yield from _unknown(("numbers_of", trigger), "trigger", trigger, domain.triggers)
        yield from _unknown(("numbers_of", trigger), "fact", fact, domain.facts)
    if domain.anchors and CHANGE not in domain.anchors:
        yield ("anchors",), f"no anchor `{CHANGE}`", f"declare `{CHANGE}`: the event whose date a plan states"
    yield from _combined_problems(domain)
    for i, name in enumerate(domain.transnational.changes if domain.transnational else ()):
        yield from _unknown(("transnational", "changes", i), "change type", name, domain.change_types)


def _booleans(domain: Domain) -> list[str]:
    return [name for name, kind in domain.facts.items() if kind.type == "boolean"]


def _combined_problems(domain: Domain) -> Iterable[Problem]:
    numbers = [fact for fact, kind in domain.facts.items() if kind.type == "integer"]
    for name, combined in domain.combined_facts.items():
        at: FieldPath = ("combined_facts", name)
        yield from _unknown(at, "integer fact", name, numbers)
        if (combined.sum is None) == (combined.count is None):
            yield at, "a combined fact is a sum or a count", "give `sum` or `count`, not both"
        for part in ("sum", "count"):
            if getattr(combined, part) is not None:
                yield from _unknown((*at, part), "integer fact", getattr(combined, part), numbers)


def _framework_problems(framework: Framework, domain: Domain) -> Iterable[Problem]:
    laws = {law.id for law in framework.laws}
    bodies = {body.id for body in framework.bodies}
    yield from _twice("laws", [law.id for law in framework.laws])
    yield from _twice("bodies", [body.id for body in framework.bodies])
    for i, law in enumerate(framework.laws):
        if Path(law.statute).is_absolute() or ".." in Path(law.statute).parts:
            yield ("laws", i, "statute"), f"`{law.statute}` leaves the pack", "give a path inside the pack"
    for i, body in enumerate(framework.bodies):
        here: FieldPath = ("bodies", i)
        yield from _key_problems((*here, "basis"), body.basis, framework, laws)
        if body.kind is not None:
            yield from _unknown((*here, "kind"), "kind of body", body.kind, domain.body_kinds)
        yield from _condition_problems((*here, "exists_when"), body.exists_when or (), domain)
        yield from _substitute_problems(here, body.id, body.substitutes, bodies)
        yield from _evidence_problems(here, body.said_at, BODY_EVIDENCE, framework, laws)
    for name in framework.complete_for:
        where: FieldPath = ("complete_for", name)
        yield from _unknown(where, "change type", name, domain.change_types)
        for j, key in enumerate(framework.complete_for[name].at):
            yield from _key_problems((*where, "at", j), key, framework, laws)
    yield from _escalation_problems(framework, domain, laws)
    yield from _rule_problems(framework, laws)
    for i, provision in enumerate(framework.provisions):
        at: FieldPath = ("provisions", i)
        yield from _key_problems((*at, "cite"), provision.cite, framework, laws)
        yield from _unknown((*at, "level"), "level", provision.level, domain.ranks)
        yield from _unknown((*at, "body"), "body", provision.body, bodies)
        for j, trigger in enumerate(provision.triggers):
            yield from _unknown((*at, "triggers", j), "trigger", trigger, domain.triggers)
        yield from _condition_problems((*at, "applies_when"), provision.applies_when, domain)
        yield from _substitute_problems(at, provision.body, provision.substitutes, bodies)
        tested = {fact for condition in provision.applies_when for fact in condition}
        yield from _evidence_problems(at, provision.said_at, {*PROVISION_EVIDENCE, *tested}, framework, laws)
        yield from _term_problems(at, provision, domain)
        for j, key in enumerate(provision.implements):
            if key.jurisdiction == framework.jurisdiction:
                yield (*at, "implements", j), f"`{key}` is of this framework", "name a provision of a union's law"
        if provision.valid_from and provision.valid_to and provision.valid_to < provision.valid_from:
            yield (*at, "valid_to"), "`valid_to` is before `valid_from`", "swap the dates"


BODY_EVIDENCE = ("exists_when", "min_employees", "substitutes")
"""Fields of a body that words of the text may bear out, besides its basis."""
PROVISION_EVIDENCE = ("level", "body", "substitutes", "deadline", "term", "consequence", "order")
"""Fields of a provision that words of the text may bear out, besides the facts that it tests."""


def _condition_problems(at: FieldPath, alternatives: Iterable[Condition], domain: Domain) -> Iterable[Problem]:
    for j, condition in enumerate(alternatives):
        for fact, bound in condition.items():
            yield from _bound_problems((*at, j, fact), fact, bound, domain)


def _substitute_problems(at: FieldPath, own: str, substitutes: Iterable[str], bodies: set[str]) -> Iterable[Problem]:
    for j, name in enumerate(substitutes):
        yield from _unknown((*at, "substitutes", j), "body", name, bodies)
        if name == own:
            yield (*at, "substitutes", j), f"`{name}` stands in for itself", "name another body"


def _evidence_problems(
    at: FieldPath, said: SaidAt, fields: Iterable[str], framework: Framework, laws: set[str]
) -> Iterable[Problem]:
    for field, evidence in said.items():
        yield from _unknown((*at, "said_at", field), "field or tested fact", field, fields)
        for each in evidence:
            if each.at is not None:
                yield from _key_problems((*at, "said_at", field), each.at, framework, laws)


def _term_problems(at: FieldPath, provision: Provision, domain: Domain) -> Iterable[Problem]:
    if provision.term and not provision.deadline:
        yield (*at, "term"), "a term without `deadline`", "say it in words too"
    if "term" in provision.said_at and not provision.term:
        yield (*at, "said_at", "term"), "words that bear out a term, and no `term`", "give `term`, or remove them"
    tested = {fact for condition in provision.applies_when for fact in condition}
    for i, term in enumerate(provision.term):
        here: FieldPath = (*at, "term", i) if len(provision.term) > 1 else (*at, "term")
        yield from _shape_problems(here, term)
        for name in (term.before, term.after, term.holds):
            if name is not None:
                yield from _unknown(here, "anchor", name, domain.anchors)
        yield from _condition_problems(here, (term.when or {},), domain)
        for fact in term.when or {}:
            if fact in domain.facts and fact not in tested:
                what = f"`when` tests `{fact}`, which `applies_when` does not: no question would state it"
                yield here, what, f"test a fact of `applies_when`: {', '.join(sorted(tested)) or 'it has none'}"
        if not term.when and i + 1 < len(provision.term):
            yield here, "a term without `when` is followed by others, which nothing reaches", "put it last"


def _shape_problems(at: FieldPath, term: Term) -> Iterable[Problem]:
    if (term.least is None) == (term.most is None) or (term.before is None) == (term.after is None):
        yield at, "a term is at least or at most so long, before or after one event", "give one of each two"
    elif term.most is not None and term.before is not None:
        yield at, "a term before an event is at least so long", "write `least`, or count it `after` another event"
    elif term.least is not None and term.after is not None and term.holds is None:
        mend = "say what it `holds`, or write `most` for what is due within that time"
        yield at, "a time of at least so long after an event holds something up", mend
    elif term.holds is not None and (term.most is not None or term.before is not None):
        yield at, "only a time of at least so long after an event holds something up", "remove `holds`"


def _escalation_problems(framework: Framework, domain: Domain, laws: set[str]) -> Iterable[Problem]:
    for i, step in enumerate(framework.escalation):
        at: FieldPath = ("escalation", i)
        yield from _key_problems((*at, "basis"), step.basis, framework, laws)
        yield from _unknown((*at, "stage"), "stage", step.stage, domain.stages)
        for j, change in enumerate(step.changes):
            yield from _unknown((*at, "changes", j), "change type", change, domain.change_types)
        yield from _condition_problems((*at, "applies_when"), step.applies_when, domain)
    yield from _order_problems(framework, domain)


def _order_problems(framework: Framework, domain: Domain) -> Iterable[Problem]:
    """Steps that go back: each kind of change has a path of its own."""
    told = set()
    for change in domain.change_types:
        reached = 0
        for i, step in enumerate(framework.escalation):
            if step.stage not in domain.stages or (step.changes and change not in step.changes):
                continue
            place = domain.stages.index(step.stage)
            if place < reached and i not in told:
                told.add(i)
                before = f"`{step.stage}` comes after `{domain.stages[reached]}`"
                mend = f"order the steps by stage: {', '.join(domain.stages)}"
                yield ("escalation", i, "stage"), before, mend
            reached = max(reached, place)


def _rule_problems(framework: Framework, laws: set[str]) -> Iterable[Problem]:
    sections = ("provisions", "data_protection", "collective_agreements")
    seen: set[str] = set()
    for section in sections:
        for i, entry in enumerate(getattr(framework, section)):
            if entry.id in seen:
                yield (section, i, "id"), f"id `{entry.id}` is used twice", "give each its own id"
            seen.add(entry.id)
            if section != "provisions":
                yield from _key_problems((section, i, "basis"), entry.basis, framework, laws)


def _twice(section: str, ids: list[str]) -> Iterable[Problem]:
    for i, name in enumerate(ids):
        if name in ids[:i]:
            yield (section, i, "id"), f"id `{name}` is used twice in {section}", "give each its own id"


def _key_problems(at: FieldPath, key: CitationKey, framework: Framework, laws: set[str]) -> Iterable[Problem]:
    if key.jurisdiction != framework.jurisdiction:
        yield at, f"`{key}` is of {key.jurisdiction}", f"cite a law of {framework.jurisdiction}"
    else:
        yield from _unknown(at, "law", key.law, laws)


def _bound_problems(at: FieldPath, fact: str, bound: Bound, domain: Domain) -> Iterable[Problem]:
    yield from _unknown(at, "fact", fact, domain.facts)
    if fact not in domain.facts:
        return
    if domain.facts[fact].type == "boolean" and (bound.is_numeric or bound.is_ is None):
        yield at, f"`{fact}` is true or false", f"write `{fact}: {{is: true}}`"
    if domain.facts[fact].type == "integer" and (not bound.is_numeric or bound.is_ is not None):
        yield at, f"`{fact}` is a number", f"write `{fact}: {{min: 5}}`"
    if bound.min is not None and bound.max is not None and bound.min > bound.max:
        yield at, f"`{fact}` is at least {bound.min} and at most {bound.max}: never true", "swap the two numbers"
    if any(number is not None and number < 0 for number in (bound.min, bound.max)):
        yield at, f"`{fact}` is compared with a number below 0", "give a number from 0"
    if bool(bound.shares) is not (bound.share_of is not None):
        yield at, "a share needs its number, e.g. `min_share`, and `share_of`", "give both"
    if bound.share_of is not None:
        yield from _unknown((*at, "share_of"), "fact", bound.share_of, domain.facts)
        if bound.share_of == fact or (
            bound.share_of in domain.facts and domain.facts[bound.share_of].type != "integer"
        ):
            yield (*at, "share_of"), f"`{fact}` is no share of `{bound.share_of}`", "name another number"
    lower = [share for share in (bound.min_share, bound.over_share) if share is not None]
    upper = [share for share in (bound.max_share, bound.under_share) if share is not None]
    if len(lower) > 1 or len(upper) > 1:
        yield at, f"`{fact}` has two shares on one side", "keep one of them"
    elif lower and upper:
        closed = bound.min_share is not None and bound.max_share is not None
        if lower[0] > upper[0] or (lower[0] == upper[0] and not closed):
            yield at, f"the shares of `{fact}` exclude each other: never true", "swap the two, or remove one"
