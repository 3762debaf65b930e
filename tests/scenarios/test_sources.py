"""Every statement of law in an answer is a field of a provision, every other word a phrase of its language."""

from __future__ import annotations

import pytest

from forge_assets.law.country import Country
from forge_assets.law.model import Domain
from forge_assets.scenarios.answers.composer import Answer
from forge_assets.scenarios.answers.sources import SourceCheck, Unsourced
from forge_assets.scenarios.answers.writer import pieces, unmarked
from forge_assets.scenarios.composition.cross_border import prompts_across
from forge_assets.scenarios.composition.judged_cells import Volume
from forge_assets.scenarios.composition.single_country import LawLineage, compose_prompts
from forge_assets.scenarios.pack.files import Pack
from tests.helpers import tiered
from tests.shipped import countries

VOLUME = Volume(draws=24, kept=3)


def marked_answers(domain: Domain, pack: Pack, country: Country) -> list[Answer]:
    law = LawLineage.of([country])
    parts = compose_prompts(domain, pack, country.framework, law, VOLUME, marked=True)
    return [answer for part in parts for answer in part.answers]


@pytest.mark.parametrize("code", tiered(["DE", *sorted(set(countries()) - {"DE"})]))
def test_every_piece_of_an_answer_has_a_source(domain: Domain, pack: Pack, code: str) -> None:
    country = countries()[code]
    check = SourceCheck([country.framework], domain.citation, pack.exhibits)
    answers = marked_answers(domain, pack, country)
    assert bool(answers) is not bool(country.framework.members)
    for answer in answers:
        assert check.unsourced(answer.marked, pack.answers[answer.language]) == []
        text = answer.response.replace("{premise}", "", 1)
        assert unmarked(answer.marked) == text


def test_what_stands_in_a_unions_law_is_sourced_there_in_comparisons(domain: Domain, pack: Pack) -> None:
    compared = [countries()[code] for code in ("AT", "DE", "EU")]
    frameworks = [country.framework for country in compared]
    check = SourceCheck(frameworks, domain.citation, pack.exhibits)
    parts = prompts_across(domain, pack, frameworks, LawLineage.of(compared), Volume(draws=60, kept=15), marked=True)
    answers = [answer for part in parts for answer in part.answers]
    assert any("body:EU." in answer.marked for answer in answers)
    assert any("law:EU.ai_act.short" in answer.marked for answer in answers)
    for answer in answers:
        assert check.unsourced(answer.marked, pack.answers[answer.language]) == []


def test_an_answer_that_is_taught_rests_on_verified_law_alone(domain: Domain, pack: Pack) -> None:
    country = countries()["DE"]
    for answer in marked_answers(domain, pack, country):
        if answer.current:
            used = {
                source.split(":", 1)[1].rpartition(".")[0] for source, _ in pieces(answer.marked) if "law:" in source
            }
            entries = used & country.statuses.keys()
            assert {country.statuses[name] for name in entries} <= {"verified"}


def test_a_word_that_no_source_bears_out_is_found(domain: Domain, pack: Pack) -> None:
    country = countries()["DE"]
    check, words = SourceCheck([country.framework], domain.citation, pack.exhibits), pack.answers["en"]
    answer = next(a for a in marked_answers(domain, pack, country) if "law:de-ai-planning.summary" in a.marked)
    altered = answer.marked.replace("the use of AI", "the use of robots", 1)
    assert [piece.source for piece in check.unsourced(altered, words)] == ["law:de-ai-planning.summary"]
    added = f"{answer.marked} The fine is EUR 50,000."
    assert check.unsourced(added, words) == [Unsourced("", " The fine is EUR 50,000.")]
