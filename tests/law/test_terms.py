"""Deadlines as lengths of time: the days they give, the words of the text that say them, what a wrong one is told."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from forge_assets.catalog.tables import catalog_tables
from forge_assets.cli.main import main
from forge_assets.law.checks.run import check_country
from forge_assets.law.country import country_of, read_country_file
from forge_assets.law.loading import load_domain, load_framework
from forge_assets.law.model import Domain, Framework, Provision, Term, TermWords
from forge_assets.law.term_evidence import lengths_in, unsaid_terms
from forge_assets.law.terms import due, latest_start, moved, offset, term_in_words, term_of, waiting_offset
from forge_resources.config.strict_yaml import SourceError
from tests import shipped
from tests.helpers import edit_copy

MERGER = "term: {least: 1, unit: month, before: decision}"
"""Of `de-merger-draft`, the first of de.yaml that reads so."""
GERMAN = TermWords(
    numbers={"einen": 1, "drei": 3}, units={"day": ("Tag",), "working_day": ("Arbeitstag",), "month": ("Monat",)}
)
FRENCH = TermWords(
    numbers={"un": 1, "cinq": 5, "vingt et un": 21}, units={"day": ("jour",), "working_day": ("jours ouvrables",)}
)


def _before(number: int, unit: str) -> Term:
    return Term.model_validate({"least": number, "unit": unit, "before": "change"})


def _waiting(number: int, unit: str, holds: str = "change") -> Term:
    return Term.model_validate({"least": number, "unit": unit, "after": "notice", "holds": holds})


@pytest.mark.parametrize(
    ("number", "unit", "change", "day"),
    [
        (30, "day", "2026-03-31", "2026-03-01"),
        (30, "day", "2028-03-01", "2028-01-31"),  # through 29 February
        (2, "week", "2026-01-08", "2025-12-25"),
        (1, "month", "2026-03-31", "2026-02-28"),
        (1, "month", "2028-03-31", "2028-02-29"),
        (1, "month", "2026-07-31", "2026-06-30"),
        (1, "month", "2026-01-15", "2025-12-15"),
        (2, "month", "2026-02-28", "2025-12-28"),
        (14, "month", "2026-01-31", "2024-11-30"),
        (1, "year", "2028-02-29", "2027-02-28"),
        (1, "working_day", "2026-06-08", "2026-06-05"),  # Monday to Friday
        (5, "working_day", "2026-06-10", "2026-06-03"),
        (5, "working_day", "2026-06-14", "2026-06-08"),  # from a Sunday
        (10, "working_day", "2026-01-02", "2025-12-19"),  # public holidays count as any day
    ],
)
def test_a_step_is_due_so_long_before_the_change(number: int, unit: str, change: str, day: str) -> None:
    term = _before(number, unit)
    assert due(term, dt.date.fromisoformat(change)) == dt.date.fromisoformat(day)
    assert latest_start(term, dt.date.fromisoformat(change)) is None


def test_only_a_term_before_the_change_gives_a_date_by_which_it_is_due() -> None:
    change = dt.date(2026, 6, 1)
    within = Term.model_validate({"most": 2, "unit": "week", "after": "information"})
    before_notice = Term.model_validate({"least": 30, "unit": "day", "before": "dismissal"})
    for term in (within, before_notice, _waiting(30, "day")):
        assert due(term, change) is None
        assert offset(term) is None


def test_the_latest_notice_is_the_change_less_the_waiting_period() -> None:
    assert latest_start(_waiting(1, "month"), dt.date(2026, 3, 31)) == dt.date(2026, 2, 28)
    assert latest_start(_waiting(30, "day"), dt.date(2026, 3, 31)) == dt.date(2026, 3, 1)
    assert latest_start(_waiting(30, "day", holds="dismissal"), dt.date(2026, 3, 31)) is None


def test_a_waiting_period_from_its_latest_start_has_run_by_the_change() -> None:
    for days in range(1500):
        change = dt.date(2026, 1, 1) + dt.timedelta(days=days)
        for number, unit, forward in (
            (1, "month", "+1m"),
            (2, "month", "+2m"),
            (1, "year", "+12m"),
            (30, "day", "+30d"),
        ):
            start = latest_start(_waiting(number, unit), change)
            assert start is not None
            assert moved(start, forward) <= change


@pytest.mark.parametrize(
    ("number", "unit", "written"),
    [(30, "day", "-30d"), (5, "working_day", "-5b"), (2, "week", "-2w"), (1, "month", "-1m"), (1, "year", "-12m")],
)
def test_an_offset_says_how_far_a_date_moves_back(number: int, unit: str, written: str) -> None:
    assert offset(_before(number, unit)) == written
    assert waiting_offset(_waiting(number, unit)) == written


@pytest.mark.parametrize("written", ["30d", "-30", "-1q", "- 1m", ""])
def test_what_is_no_offset_is_refused_with_its_form(written: str) -> None:
    with pytest.raises(ValueError, match="write one such as -30d"):
        moved(dt.date(2026, 1, 1), written)


def test_a_term_reads_as_a_clause(domain: Domain) -> None:
    anchors = domain.anchors
    assert term_in_words(_before(1, "month"), anchors) == "at least 1 month before the change takes effect"
    within = Term.model_validate({"most": 10, "unit": "working_day", "after": "request"})
    assert term_in_words(within, anchors) == "within 10 working days after the request arrives"
    waiting = "at least 30 days after the authority is notified, before the change takes effect"
    assert term_in_words(_waiting(30, "day"), anchors) == waiting


def _provision(frameworks: dict[str, Framework], code: str, name: str) -> Provision:
    return next(p for p in frameworks[code].provisions if p.id == name)


@pytest.mark.parametrize(
    ("code", "name", "facts", "number"),
    [
        ("GB", "gb-redundancy-consultation", {"affected": 99}, 30),
        ("GB", "gb-redundancy-consultation", {"affected": 100}, 45),
        ("GB", "gb-redundancy-consultation", {}, None),
        ("FR", "fr-redundancy-consultation", {"affected": 99}, 2),
        ("FR", "fr-redundancy-consultation", {"affected": 100}, 3),
        ("FR", "fr-redundancy-consultation", {"affected": 249}, 3),
        ("FR", "fr-redundancy-consultation", {"affected": 250}, 4),
        ("ES", "es-redundancy-consultation", {"employees": 49}, 15),
        ("ES", "es-redundancy-consultation", {"employees": 50}, 30),
        ("DK", "dk-redundancy-30-days", {"employees": 100, "affected": 50}, 8),
        ("DK", "dk-redundancy-30-days", {"employees": 99, "affected": 60}, 30),
        ("DK", "dk-redundancy-notification", {"employees": 100, "affected": 49}, None),
        ("DE", "de-monitoring-devices", {"employees": 100}, None),
    ],
)
def test_the_facts_choose_among_the_lengths_that_a_text_gives(
    frameworks: dict[str, Framework], code: str, name: str, facts: dict[str, int], number: int | None
) -> None:
    term = term_of(_provision(frameworks, code, name), facts)
    assert (term and term.number) == number


@pytest.mark.parametrize(
    ("words", "written", "lengths"),
    [
        ("spätestens 30 Tage vor", GERMAN, [(30, "day")]),
        ("innerhalb von drei Arbeitstagen nach", GERMAN, [(3, "working_day")]),
        ("spätestens einen Monat vor dem Tage der Versammlung", GERMAN, [(1, "month")]),
        ("am Tage vor der Versammlung", GERMAN, [(1, "day")]),
        ("drei Vertreter, die innerhalb der Frist Tage", GERMAN, [(1, "day")]),  # too far apart to belong together
        ("cinq jours ouvrables", FRENCH, [(5, "working_day")]),
        ("cinq (5) jours", FRENCH, [(5, "day"), (5, "day")]),
        ("dans un délai de vingt et un jours", FRENCH, [(21, "day")]),
        ("dans un délai raisonnable", FRENCH, []),
    ],
)
def test_words_are_read_as_lengths_of_time(words: str, written: TermWords, lengths: list[tuple[int, str]]) -> None:
    assert lengths_in(words, written) == lengths


def test_a_term_of_another_number_or_unit_than_the_text_says_is_found_everywhere() -> None:
    read = 0
    for code, framework in shipped.frameworks().items():
        for provision in framework.provisions:
            for term in provision.term:
                read += 1
                side = "least" if term.least else "most"
                unit = "week" if term.unit == "year" else "year"
                for change in ({side: term.number + 1000}, {"unit": unit}):
                    wrong = term.model_copy(update=change)
                    altered = provision.model_copy(update={"term": (wrong,)})
                    assert unsaid_terms(framework, altered) == [wrong], (code, provision.id, change)
    assert read > 150


def test_a_number_that_no_words_say_is_an_error_with_line_and_mend_and_is_not_taught(
    pack: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "labour"
    shutil.copytree(pack, copy)
    path = copy / "jurisdictions" / "de.yaml"
    line = edit_copy(path, path, MERGER, MERGER.replace("1", "2"))
    domain = load_domain(copy)
    file = read_country_file(copy, domain, path)
    (fault,) = check_country(copy, domain, file)
    assert (fault.check, fault.severity, fault.line) == ("terms", "error", line)
    assert fault.problem == "de-merger-draft: no words of the text say «2 months»"
    assert "`term_words`" in fault.mend
    found = country_of(domain, file).checked["de-merger-draft"]
    assert (found.status, found.problems) == ("unverified", ("no words of the text say «2 months»",))


@pytest.mark.parametrize(
    ("new", "problem", "mend"),
    [
        ("term: {least: 1, unit: month, before: decison}", "unknown anchor `decison`", "`decision`"),
        ("term: {unit: month, before: decision}", "at least or at most so long", "one of each two"),
        ("term: {least: 1, most: 2, unit: month, before: decision}", "at least or at most so long", "one of each two"),
        ("term: {least: 1, unit: month}", "before or after one event", "one of each two"),
        ("term: {most: 1, unit: month, before: decision}", "at least so long", "`least`"),
        ("term: {least: 1, unit: month, after: decision}", "holds something up", "`holds`"),
        ("term: {most: 1, unit: month, after: decision, holds: change}", "holds something up", "remove `holds`"),
        ("term: {least: 1, unit: quarter, before: decision}", "`provisions.", "'day', 'working_day'"),
        ("term: {least: 0, unit: month, before: decision}", "`provisions.", "greater than or equal to 1"),
        (f"{MERGER[:-1]}, when: {{employees: {{min: 5}}}}}}", "`when` tests `employees`", "applies_when"),
        (f"term: [{MERGER[6:]}, {MERGER[6:]}]", "which nothing reaches", "put it last"),
    ],
)
def test_a_term_that_cannot_be_is_refused_on_its_line(
    pack: Path, tmp_path: Path, domain: Domain, new: str, problem: str, mend: str
) -> None:
    path = tmp_path / "de.yaml"
    line = edit_copy(pack / "jurisdictions" / "de.yaml", path, MERGER, new)
    with pytest.raises(SourceError) as refused:
        load_framework(path, domain)
    assert (refused.value.line, problem in refused.value.problem, mend in refused.value.mend) == (line, True, True), (
        str(refused.value)
    )


def test_a_term_without_words_for_people_is_refused(pack: Path, tmp_path: Path, domain: Domain) -> None:
    path = tmp_path / "de.yaml"
    deadline = "    deadline: in good time, with the necessary documents\n"
    edit_copy(pack / "jurisdictions" / "de.yaml", path, deadline, f"    {MERGER}\n")
    with pytest.raises(SourceError, match="a term without `deadline`"):
        load_framework(path, domain)


def test_anchors_without_the_change_are_refused(pack: Path, tmp_path: Path) -> None:
    edit_copy(pack / "domain.yaml", tmp_path / "domain.yaml", "  change: the change takes effect\n", "")
    with pytest.raises(SourceError, match="no anchor `change`"):
        load_domain(tmp_path)


def test_explain_prints_the_term_with_its_cases(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["explain", "ES", "--change", "collective_redundancy", "--employees", "80", "--affected", "20"]
    assert main([*arguments, "--no-insolvency", "--works-council"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    said = "term: within 15 days after the consultation begins (employees at most 49); within 30 days after the"
    assert said in printed


def test_the_catalog_has_the_term_in_words() -> None:
    provisions = catalog_tables(shipped.countries()["DE"])["catalog.provisions"]
    rows = {row["provision_id"]: row["term"] for row in provisions.iter_rows(named=True)}
    assert rows["de-redundancy-waiting-period"] == "at least 1 month after notice, before change"
    assert rows["de-monitoring-devices"] is None
