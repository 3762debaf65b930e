"""Check that what a provision depends on is a test that the engine evaluates, and that its fields fit one another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forge_assets.law.checks.faults import CHECKS, Found
from forge_assets.law.model import Accepted, Body, Domain, Framework, Provision
from forge_assets.law.statutes import Statutes
from forge_assets.law.verification import Missing, cited_text, is_current
from forge_resources.config.strict_yaml import FieldPath, Lines

ACCEPT = "or say under `accepted` why it is right"
_FIELD = re.compile(r"\s*(- )?(applies_when|body|level|triggers)\b|\s*- \{?\w+: \{")
_CONDITION = re.compile(r"\b(not in|if|only|without|where|unless|except|no condition)\b", re.IGNORECASE)
_WORD = re.compile(r"\w[\w-]*")


def comment_faults(framework: Framework, text: str, lines: Lines) -> Iterator[Found]:
    """Find comments beside a provision's fields that state a condition which nothing carries; in current law only.

    Args:
        text: the file as it is written.
    """
    rows = text.split("\n")
    starts = [lines[("provisions", i)] for i in range(len(framework.provisions))]
    ends = [*starts[1:], len(rows) + 1]
    for i, (provision, first, last) in enumerate(zip(framework.provisions, starts, ends, strict=True)):
        if provision.only_if or provision.substitutes or not is_current(framework, provision):
            continue
        if "conditions" in provision.accepted:
            continue
        for row in rows[first - 1 : last - 1]:
            said, mark, comment = row.partition(" #")
            if mark and _FIELD.match(said) and _CONDITION.search(comment):
                what = f"{provision.id}: the comment «{comment.strip()}» states a condition that the engine cannot see"
                mend = f"write it as a test, `only_if` or `substitutes`, {ACCEPT}"
                yield "conditions", "warning", ("provisions", i), what, mend


def field_faults(domain: Domain, framework: Framework, statutes: Statutes) -> Iterator[Found]:
    """Find sizes and numbers that are not tested, summaries without a word of their level, bodies that cannot be.

    Provisions whose text is not current, which are never taught, and bodies of no others are left out.
    """
    bodies = {body.id: body for body in framework.bodies}
    sizes = _size_pattern(framework)
    for i, provision in enumerate(framework.provisions):
        at: FieldPath = ("provisions", i)
        yield from _unknown_checks(provision.accepted, at)
        if provision.only_if or not is_current(framework, provision):
            continue
        yield from _unsaid_level(domain, provision, at)
        yield from _untested_size(provision, at, domain, statutes, sizes)
        yield from _untested_number(domain, provision, at)
        yield from _takes_no_part(domain, provision, bodies[provision.body], at)
    for i, body in enumerate(framework.bodies):
        yield from _body_faults(domain, framework, body, ("bodies", i))


def _unknown_checks(accepted: Accepted, at: FieldPath) -> Iterator[Found]:
    for name in sorted({*accepted} - {*CHECKS}):
        yield "readable", "error", (*at, "accepted", name), f"no check `{name}`", f"use one of {', '.join(CHECKS)}"


def _unsaid_level(domain: Domain, provision: Provision, at: FieldPath) -> Iterator[Found]:
    beginnings = domain.level_words.get(provision.level)
    if not beginnings or "wording" in provision.accepted:
        return
    said = [word.casefold() for word in _WORD.findall(provision.summary)]
    if not any(word.startswith(beginning) for word in said for beginning in beginnings):
        what = f"{provision.id}: the summary has no word of {provision.level}"
        yield "wording", "warning", (*at, "summary"), what, f"say what is owed, correct the level, {ACCEPT}"


def _size_pattern(framework: Framework) -> re.Pattern[str] | None:
    if not framework.size_words:
        return None
    beginnings = "|".join(re.escape(word) for word in framework.size_words)
    label = r"(?!\d*\))"  # `(1) The employees` opens a paragraph
    return re.compile(rf"\b\d+(?:[.\s]\d{{3}})*{label}\W+(?:\w+\W+){{0,2}}(?:{beginnings})", re.IGNORECASE)


def _untested_size(
    provision: Provision, at: FieldPath, domain: Domain, statutes: Statutes, sizes: re.Pattern[str] | None
) -> Iterator[Found]:
    if sizes is None or "size" in provision.accepted or _tests_number(domain, provision):
        return
    text = cited_text(provision.cite, statutes)
    named = None if isinstance(text, Missing) else sizes.search(text)
    if named:
        what = f"{provision.id}: the text names a headcount («{named[0]}») and no number is tested"
        yield "size", "warning", at, what, f"test it in `applies_when`, {ACCEPT}"


def _tests_number(domain: Domain, provision: Provision) -> bool:
    return any(domain.facts[name].type == "integer" for condition in provision.applies_when for name in condition)


def _untested_number(domain: Domain, provision: Provision, at: FieldPath) -> Iterator[Found]:
    for trigger, fact in domain.numbers_of.items():
        tested = any(fact in condition for condition in provision.applies_when)
        if trigger in provision.triggers and not tested and "numbers" not in provision.accepted:
            what = f"{provision.id}: pulled by {trigger}, and {fact} is not tested"
            yield "numbers", "warning", at, what, f"test from how many on it applies, {ACCEPT}"


def _takes_no_part(domain: Domain, provision: Provision, body: Body, at: FieldPath) -> Iterator[Found]:
    kind = domain.body_kinds.get(body.kind or "")
    if kind is None or kind.participates or "bodies" in provision.accepted:
        return
    if provision.level in domain.levels[1:]:
        what = f"{provision.id}: {provision.level} is owed to {body.id}, {kind.means}"
        mend = f"name the kind of duty: {', '.join(domain.other_duties)}, {ACCEPT}"
        yield "bodies", "warning", (*at, "level"), what, mend


def _body_faults(domain: Domain, framework: Framework, body: Body, at: FieldPath) -> Iterator[Found]:
    yield from _unknown_checks(body.accepted, at)
    owing = [p for p in framework.provisions if body.id in (p.body, *p.substitutes)]
    if not domain.body_kinds or not any(is_current(framework, p) for p in owing):
        return
    if body.kind is None:
        mend = f"give `kind`: {', '.join(domain.body_kinds)}"
        yield "bodies", "warning", at, f"body {body.id} does not say what it is", mend
        return
    by_fact = body.id in domain.facts and domain.facts[body.id].type == "boolean"
    standing = domain.body_kinds[body.kind].standing
    if standing and body.exists_when is None and not by_fact:
        mend = "give `exists_when`, or [] with `accepted: {bodies: …}` if it is there whenever it is needed"
        yield "bodies", "warning", at, f"body {body.id} does not say when it exists", mend
    if standing and body.exists_when == () and "bodies" not in body.accepted:
        mend = "give `exists_when`, or `accepted: {bodies: …}` with the reason"
        yield "bodies", "warning", at, f"body {body.id} of {body.kind} is said to be always there", mend
    owed = [p for p in framework.provisions if p.body == body.id and is_current(framework, p)]
    sized = body.min_employees is not None or any(_tests_number(domain, p) for p in owed)
    if standing and by_fact and owed and not sized and "size" not in body.accepted:
        what = f"body {body.id} has no min_employees and no duty to it tests a number"
        yield "size", "warning", at, what, f"give `min_employees`, {ACCEPT}"
