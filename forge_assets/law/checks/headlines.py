"""Check what a country's answers say first, over a grid of facts."""

from __future__ import annotations

from collections.abc import Iterator

from forge_assets.law.checks.conditions import ACCEPT
from forge_assets.law.checks.faults import Found
from forge_assets.law.engine import Facts, meets, pulled_triggers
from forge_assets.law.explanation import facts_in_words
from forge_assets.law.grid import fact_grid, provisions_of
from forge_assets.law.headline import is_denied, lead
from forge_assets.law.model import Domain, Framework, Provision
from forge_assets.law.settling import settle, settled_id
from forge_assets.law.verification import is_current


def headline_faults(domain: Domain, framework: Framework) -> Iterator[Found]:
    """Find minor duties stronger than all principal ones that apply, and leading duties owed to a body that is denied.

    Args:
        framework: a country's, as it is written, not settled. What rests on text that is not current is left out.
    """
    at = {name: i for i, p in enumerate(framework.provisions) for name in _names(framework, p)}
    settled = settle(domain, framework)
    settled = settled.model_copy(update={"provisions": tuple(p for p in settled.provisions if is_current(settled, p))})
    told: set[tuple[str, str]] = set()
    for change in domain.change_types:
        provisions = [p for p in provisions_of(domain, settled, change) if not p.only_if]
        for facts in fact_grid(domain, settled, change) if provisions else ():
            # Every fact that decides is stated, so this is all that `obligations` would find, in a tenth of its time.
            pulled = pulled_triggers(domain, change, facts)
            applying = [p for p in provisions if pulled & set(p.triggers) and meets(p.applies_when, facts)]
            for kind, provision, what, mend in _wrong(domain, settled, applying, facts):
                if (kind, provision.id) not in told and "headline" not in provision.accepted:
                    told.add((kind, provision.id))
                    where = f"{provision.id}, on {change} ({facts_in_words(facts)}): {what}"
                    yield "headline", "warning", ("provisions", at[provision.id]), where, f"{mend}, {ACCEPT}"


def _names(framework: Framework, provision: Provision) -> list[str]:
    """The id of a provision and those that its substitutes get."""
    bodies = [body.id for body in framework.bodies]
    return [provision.id, *(settled_id(provision.id, body) for body in bodies)]


def _wrong(
    domain: Domain, framework: Framework, applying: list[Provision], facts: Facts
) -> Iterator[tuple[str, Provision, str, str]]:
    taking_part = [p for p in applying if p.level in domain.levels]
    core = [domain.levels.index(p.level) for p in taking_part if p.core]
    for provision in taking_part:
        if core and not provision.core and domain.levels.index(provision.level) > max(core):
            what = f"a minor duty of {provision.level} outranks every principal one that applies"
            yield "outranks", provision, what, "make it `core`, or narrow what pulls it"
    first = lead(domain, applying)
    if first is None:
        return
    if is_denied(domain, framework, first, facts):
        what = f"the headline is owed to {first.body}, and the facts deny every body that they name"
        yield "denied", first, what, "give the body `exists_when`"
