"""Agreements and descriptions of systems: what the text says, the summary says; what falls short is found."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from forge_assets.citations.parser import parse
from forge_assets.law.engine import Facts
from forge_assets.law.model import Body, Domain
from forge_assets.scenarios.exhibits.agreement import (
    Agreement,
    AgreementCase,
    Clause,
    Duty,
    draw_agreement,
    summarise,
)
from forge_assets.scenarios.exhibits.findings import ClauseFinding, LawWords, find, summarise_findings
from forge_assets.scenarios.exhibits.system import System, agrees, draw_system, summarise_system
from forge_assets.scenarios.exhibits.values import Field, Voice
from forge_assets.scenarios.pack.exhibits import Exhibits, PickKind
from forge_assets.scenarios.pack.files import Pack
from tests import shipped

DEPTHS = ("note", "advice", "memo")
COUNCIL = Body.model_validate(
    {
        "id": "works_council",
        "name": "Betriebsrat",
        "english": "works council",
        "kind": "representatives",
        "basis": "DE:x:1",
    }
)
WORKFORCE = COUNCIL.model_copy(
    update={"id": "employees", "name": "Belegschaft", "english": "staff", "kind": "workforce"}
)
AUTHORITY = COUNCIL.model_copy(update={"id": "office", "name": "Amt", "english": "office", "kind": "authority"})
CONSULTATION = Duty("de-consult", "consultation", COUNCIL, None, dt.date(2026, 5, 1))


@pytest.fixture
def voices(pack: Pack) -> dict[str, Voice]:
    levels = dict(pack.answers["en"].levels)
    return {code: Voice(words, pack.languages[code].date, levels) for code, words in pack.exhibits.items()}


@pytest.fixture
def case(domain: Domain, pack: Pack) -> AgreementCase:
    return AgreementCase(domain, pack.exhibit_kinds, "DE", "site_closure", (CONSULTATION,))


def drawn(voice: Voice, case: AgreementCase, depth: str, count: int) -> Iterator[Agreement]:
    for number in range(count):
        yield draw_agreement(voice, case, depth, number % 4, ("test", str(number)))


def said_in(field: Field, text: str) -> bool:
    """As scoring looks for it: a whole way of saying it, capitals and spaces aside."""
    plain = " ".join(text.casefold().split())
    ways = (" ".join(way.casefold().split()) for way in field.said)
    return any(re.search(rf"(?<![^\W_]){re.escape(way)}(?![^\W_])", plain) for way in ways)


def clause(
    case: AgreementCase, name: str, number: int = 1, body: Body | None = COUNCIL, other: str | None = None
) -> Clause:
    kind = case.kinds.agreement.clauses[name]
    values = {value: (0,) if isinstance(of, PickKind) else of.of[0] for value, of in kind.values.items()}
    return Clause(number, name, kind, 0, values, None if other else body, other)


def agreed(case: AgreementCase, *clauses: Clause, signed: dt.date = dt.date(2025, 3, 1)) -> Agreement:
    return Agreement(case, "memo", 0, signed, clauses, "")


def lead_finding(case: AgreementCase, *clauses: Clause) -> ClauseFinding:
    return next(f for f in find(agreed(case, *clauses)) if f.provision == CONSULTATION.id)


LAW = LawWords(
    place=lambda duty: "§ 111 BetrVG" if duty.id == "de-consult" else "§ 1", body=lambda duty: duty.body.english
)


def lines_of(agreement: Agreement, voice: Voice) -> list[str]:
    return [line.text for line in summarise_findings(agreement, voice, LAW)]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("language", ["en", "de"])
def test_numbers_dates_and_parties_of_the_summary_are_those_of_the_text(
    voices: dict[str, Voice], case: AgreementCase, depth: str, language: str
) -> None:
    voice = voices[language]
    for agreement in drawn(voice, case, depth, 60):
        lines = summarise(agreement, voice)
        of_text = agreement.text.split("\n")[2:]
        assert len(lines) == 1 + len(agreement.clauses) == 1 + len(of_text)
        for line, original in zip(lines[1:], of_text, strict=True):
            assert line.text.split(":")[0] == original.split(":")[0]  # number and title
            for field in line.fields:
                assert said_in(field, line.text), (field, line.text)
                if field.name != "clause":
                    assert said_in(field, original), (field, original)
            numbers = Counter(re.findall(r"\d[\d./]*\d|\d", line.text))
            assert numbers <= Counter(re.findall(r"\d[\d./]*\d|\d", original)), (line.text, original)
        for field in lines[0].fields:
            assert said_in(field, lines[0].text) and said_in(field, agreement.text)


def test_a_german_agreement_is_summed_up_in_english_with_its_values(
    voices: dict[str, Voice], case: AgreementCase
) -> None:
    for agreement in drawn(voices["de"], case, "memo", 40):
        for line in summarise(agreement, voices["en"]):
            assert all(said_in(field, line.text) for field in line.fields)
        at = {c.name: c for c in agreement.clauses}
        if "severance" in at:
            share = at["severance"].values["share"]
            assert f"{share} Prozent" in agreement.text
            line = next(
                x for x in summarise(agreement, voices["en"]) if x.text.startswith(f"{at['severance'].number}.")
            )
            assert f"{share} per cent" in line.text


@pytest.mark.parametrize(("depth", "least", "most"), [("note", 2, 4), ("advice", 4, 14), ("memo", 8, 40)])
def test_an_agreement_has_as_many_clauses_as_its_depth_allows(
    voices: dict[str, Voice], case: AgreementCase, domain: Domain, depth: str, least: int, most: int
) -> None:
    for change in domain.change_types:
        counts = {len(a.clauses) for a in drawn(voices["en"], replace(case, change=change), depth, 60)}
        assert least <= min(counts) <= max(counts) <= most
    counts = {len(a.clauses) for a in drawn(voices["en"], case, depth, 2500)}
    assert {least, most} <= counts


def test_every_kind_of_clause_can_be_drawn_and_no_clause_of_another_change_is(
    voices: dict[str, Voice], case: AgreementCase, domain: Domain, pack: Pack
) -> None:
    seen = set()
    for change in domain.change_types:
        for agreement in drawn(voices["en"], replace(case, change=change), "memo", 80):
            for found in agreement.clauses:
                seen.add(found.name)
                assert not found.kind.changes or change in found.kind.changes
    assert seen == set(pack.exhibit_kinds.agreement.clauses)


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_wording_is_used_and_only_slots_of_the_row_stay(
    voices: dict[str, Voice], case: AgreementCase, domain: Domain, language: str
) -> None:
    voice, slots = voices[language], set()
    used: dict[str, set[int]] = {}
    for change in domain.change_types:
        for agreement in drawn(voice, replace(case, change=change), "memo", 80):
            for found in agreement.clauses:
                count = len(voice.words.agreement.clauses[found.name].text)
                used.setdefault(found.name, set()).add(found.wording % count)
            lines = [*summarise(agreement, voice), *summarise_findings(agreement, voice, LAW)]
            for text in (agreement.text, *(line.text for line in lines)):
                slots |= set(re.findall(r"\{[^}]*\}", text))
                assert ".." not in text and "  " not in text
    assert slots == {"{company}"}
    for name, words in voice.words.agreement.clauses.items():
        assert used[name] == set(range(len(words.text))), name


def test_the_same_words_draw_the_same_agreement_and_others_another(
    voices: dict[str, Voice], case: AgreementCase
) -> None:
    first, again = (draw_agreement(voices["de"], case, "advice", 1, ("cell",)) for _ in range(2))
    assert first == again
    others = [
        draw_agreement(voices["de"], case, "advice", 2, ("cell",)),
        draw_agreement(voices["de"], case, "advice", 1, ("another",)),
    ]
    assert len({first.text, *(other.text for other in others)}) == 3


def test_the_language_changes_words_and_no_value(voices: dict[str, Voice], case: AgreementCase) -> None:
    german, english = (draw_agreement(voices[code], case, "memo", 0, ("cell",)) for code in ("de", "en"))
    assert german.clauses == english.clauses and german.signed == english.signed
    assert german.text != english.text


def test_a_clause_that_gives_less_than_the_law_falls_short(voices: dict[str, Voice], case: AgreementCase) -> None:
    weaker = clause(case, "informs", 3)
    assert lead_finding(case, weaker) == ClauseFinding(3, "falls_short", "de-consult", "level_short")
    text = lines_of(agreed(case, weaker), voices["en"])[0]
    assert text.startswith("Clause 3 falls short: it gives no more than Information. ")
    assert text.endswith(" § 111 BetrVG: Consultation, owed to the works council.")


@pytest.mark.parametrize("name", ["consults", "consents"])
def test_a_clause_that_gives_as_much_or_more_does_not(case: AgreementCase, name: str) -> None:
    assert lead_finding(case, clause(case, "informs", 1), clause(case, name, 2)).kind == "conforms"
    assert lead_finding(case, clause(case, name, 2)).clause == 2


def test_a_like_duty_falls_short_with_the_leading_one_and_is_not_told_again(
    voices: dict[str, Voice], case: AgreementCase
) -> None:
    like = replace(case, duties=(CONSULTATION, replace(CONSULTATION, id="de-like")))
    weaker = agreed(like, clause(like, "informs"))
    assert [f.phrase for f in find(weaker)] == ["level_short", "silent_on_topics"]
    assert "§ 111 BetrVG, § 1: Consultation" in lines_of(weaker, voices["en"])[0]


def test_a_waiver_falls_short(voices: dict[str, Voice], case: AgreementCase) -> None:
    waiver = clause(case, "decides_alone", 4, None)
    assert lead_finding(case, waiver) == ClauseFinding(4, "falls_short", "de-consult", "decides_alone")
    assert "Klausel 4 bleibt zurück" in lines_of(agreed(case, waiver), voices["de"])[0]


def test_a_right_given_to_somebody_else_falls_short(voices: dict[str, Voice], case: AgreementCase) -> None:
    wrong = clause(case, "consults", 2, None, "line_managers")
    assert lead_finding(case, wrong) == ClauseFinding(2, "falls_short", "de-consult", "other_body")
    text = lines_of(agreed(case, wrong), voices["en"])[0]
    assert "the line managers" in text and "owed to the works council" in text


def test_no_clause_on_who_takes_part_is_silence(case: AgreementCase) -> None:
    assert lead_finding(case, clause(case, "severance", 1, None)) == ClauseFinding(
        0, "silent", "de-consult", "silent_on_duty"
    )


def test_silence_on_another_duty_is_found_and_a_clause_on_it_ends_it(case: AgreementCase) -> None:
    notice = Duty("de-notice", "notification", AUTHORITY)
    staff = Duty("de-staff", "information", WORKFORCE)
    claim = Duty("de-claim", "claim", WORKFORCE)  # no agreement has to repeat it
    wide = replace(case, duties=(CONSULTATION, notice, staff, claim))
    silent = {f.provision for f in find(agreed(wide, clause(wide, "consults"))) if f.kind == "silent"}
    assert silent == {"", "de-notice", "de-staff"}
    told = clause(wide, "informs", 2, None, "staff_meeting")
    said = agreed(wide, clause(wide, "consults"), told, clause(wide, "office_notice", 3, None))
    assert {f.provision for f in find(said) if f.kind == "silent"} == {""}


def test_what_agreements_mostly_settle_is_missed(voices: dict[str, Voice], case: AgreementCase) -> None:
    said = agreed(case, clause(case, "consults"), clause(case, "notice", 2, None), clause(case, "talks", 3, None))
    assert lines_of(said, voices["en"])[-1] == (
        "The agreement is silent on: use of data, start and term, effect after its end."
    )


def test_an_agreement_from_before_the_rule_is_older_and_not_wrong(
    voices: dict[str, Voice], case: AgreementCase
) -> None:
    rule = replace(CONSULTATION, valid_from=dt.date(2026, 1, 1))
    new = replace(case, duties=(rule,))
    before, after = (agreed(new, clause(new, "consults"), signed=dt.date(y, 6, 1)) for y in (2025, 2026))
    assert [f.phrase for f in find(before) if f.kind == "older"] == ["older_than_rule"]
    assert not [f for f in find(after) if f.kind == "older"]
    assert "1/6/2025 is older than § 111 BetrVG, in force from 1/1/2026" in lines_of(before, voices["en"])[-1]
    assert find(before)[0].kind == "conforms"


def test_an_agreement_long_before_the_text_held_is_older(case: AgreementCase) -> None:
    old, young = (agreed(case, clause(case, "consults"), signed=dt.date(year, 6, 1)) for year in (2012, 2024))
    assert [f.phrase for f in find(old) if f.kind == "older"] == ["older_than_text"]
    assert not [f for f in find(young) if f.kind == "older"]


def test_every_way_to_stand_to_the_law_is_drawn(voices: dict[str, Voice], case: AgreementCase) -> None:
    found = Counter(finding.phrase for a in drawn(voices["en"], case, "advice", 300) for finding in find(a))
    wanted = {"conforms", "level_short", "decides_alone", "other_body", "silent_on_duty", "older_than_text"}
    assert wanted <= set(found)
    assert min(found[phrase] for phrase in wanted) >= 5


def test_without_a_duty_to_let_anybody_take_part_nothing_falls_short(
    voices: dict[str, Voice], case: AgreementCase
) -> None:
    none = replace(case, duties=(Duty("de-notice", "notification", AUTHORITY),))
    for agreement in drawn(voices["en"], none, "advice", 60):
        assert {f.kind for f in find(agreement)} <= {"silent", "older"}
        assert agreement.text and summarise(agreement, voices["en"])


def test_amounts_are_in_the_money_of_the_country(voices: dict[str, Voice], case: AgreementCase) -> None:
    swedish = replace(case, jurisdiction="SE")
    texts = "".join(agreement.text for agreement in drawn(voices["en"], swedish, "memo", 30))
    assert "SEK " in texts and "EUR" not in texts


def test_a_finding_states_law_by_level_body_and_place_alone(pack: Pack) -> None:
    for words in pack.exhibits.values():
        for texts in words.agreement.findings.values():
            for text in texts:
                assert not re.search(r"\d|§|\bArt", text)


def test_no_wording_is_read_as_a_citation(voices: dict[str, Voice], case: AgreementCase, domain: Domain) -> None:
    laws = shipped.laws()
    unplaced = LawWords(place=lambda duty: "(…)", body=LAW.body)
    texts = []
    for language in ("en", "de"):
        for change in domain.change_types:
            for agreement in drawn(voices[language], replace(case, change=change), "memo", 6):
                lines = [
                    *summarise(agreement, voices[language]),
                    *summarise_findings(agreement, voices[language], unplaced),
                ]
                texts.append("\n".join((agreement.text, *(line.text for line in lines))))
    for home in ("DE", "AT", "FR", "SE"):
        assert [c.text for text in texts for c in parse(text, laws, home)] == []


FACTS = ("monitoring", "personal_data", "automated_decisions", "high_risk", "cameras")


def stated(number: int) -> Facts:
    """All ways to state five yes/no facts, or not."""
    chosen = {}
    for place, name in enumerate(FACTS):
        value = number // 3**place % 3
        if value < 2:
            chosen[name] = bool(value)
    return chosen


CONTRADICTS = {
    "monitoring": ({"evaluation_none"}, {"evaluation", "evaluation_unnamed", "data_activity"}),
    "personal_data": (
        {"data_none", "kept_operating", "recipients_operating", "evaluation_unnamed"},
        {"data_master", "data_activity", "kept_days", "kept_months", "recipients", "evaluation"},
    ),
    "automated_decisions": ({"decisions_none"}, {"decisions_confirmed", "decisions_objected"}),
    "high_risk": ({"risk_lower"}, {"risk_high"}),
    "cameras": ({"cameras_none"}, {"cameras"}),
}
"""Fact to the lines that contradict it where it holds, and where it does not."""


def described(voice: Voice, pack: Pack, number: int, depth: str) -> System:
    return draw_system(voice, pack.exhibit_kinds, stated(number), depth, number % 4, ("test", str(number)))


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_description_contradicts_no_fact_and_betrays_none_that_is_not_stated(
    voices: dict[str, Voice], pack: Pack, depth: str
) -> None:
    for number in range(3 ** len(FACTS)):
        facts, names = stated(number), {line.name for line in described(voices["en"], pack, number, depth).lines}
        for fact, (if_true, if_false) in CONTRADICTS.items():
            if fact in facts:
                assert not names & (if_true if facts[fact] else if_false), (facts, names)
            else:
                assert not names & (if_true | if_false), (facts, names)


def test_a_full_description_names_purpose_data_storage_and_recipients(voices: dict[str, Voice], pack: Pack) -> None:
    for monitoring in (True, False):
        for personal in (True, False):
            facts = {"monitoring": monitoring, "personal_data": personal}
            system = draw_system(voices["de"], pack.exhibit_kinds, facts, "note", 0, ("x",))
            parts = [line.kind.part for line in system.lines]
            assert parts == ["purpose", "data", "retention", "recipients", "evaluation"]


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_summary_of_a_description_says_what_the_description_says(
    voices: dict[str, Voice], pack: Pack, language: str
) -> None:
    voice, seen = voices[language], set()
    for number in range(3 ** len(FACTS)):
        system = described(voice, pack, number, "memo")
        seen |= {line.name for line in system.lines}
        lines = summarise_system(system, voice)
        for line, original in zip(lines, system.text.split("\n")[1:], strict=True):
            assert "{" not in line.text + original
            assert line.text.split(":")[0] == original.split(":")[0]
            for field in line.fields:
                assert said_in(field, line.text) and said_in(field, original), (field, line.text, original)
    assert seen == set(pack.exhibit_kinds.system.lines)


def test_lines_go_with_the_facts_they_need(pack: Pack) -> None:
    lines = pack.exhibit_kinds.system.lines
    assert agrees(lines["data_activity"], {"personal_data": True, "monitoring": True})
    assert not agrees(lines["data_master"], {"personal_data": True, "monitoring": True})
    assert not agrees(lines["cameras"], {})


def test_files_of_a_language_have_the_words_of_the_levels_in_no_title(pack: Pack) -> None:
    english: Exhibits = pack.exhibits["en"]
    levels = {word.casefold() for word in pack.answers["en"].levels.values()}
    said = [w for words in english.agreement.clauses.values() for w in (words.title, *words.summary)]
    assert not [text for text in said for level in levels if level in text.casefold()]
