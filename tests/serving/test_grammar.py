"""The grammar that guards answers: which texts it lets through."""

from __future__ import annotations

import pytest

from forge_assets.serving.grammar import answer_grammar, going_on, opened
from forge_assets.serving.library import Library
from tests.serving.gbnf import Grammar


@pytest.fixture(scope="module")
def german(library: Library) -> Grammar:
    return Grammar(library.grammar(["DE"]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nothing is owed to 120 employees, of whom 19 go within 30 days.",
        "- co-determination on devices, § 87 Abs. 1 Nr. 6 BetrVG\n- information, § 90 Abs. 1 Nr. 3 BetrVG",
        "«Der Betriebsrat ist vor jeder Kündigung zu hören», § 102 Abs. 1 BetrVG.",
        "Article 2(3) Directive 98/59/EC binds through the member states, see § 17 Abs. 2 KSchG",
        "An article of the press, and the articles of 5 artists",
        "Към 3 члена: 日本語 🚀 é",
    ],
)
def test_free_text_and_the_places_of_the_countries_asked_about_pass(german: Grammar, text: str) -> None:
    assert german.accepts(text)


@pytest.mark.parametrize(
    "text",
    [
        "§ 999 BetrVG",
        "see §999",
        "see § and so on",
        "§ 87 Abs. 1 Nr. 66 BetrVG",
        "§ 87 Abs. 1 Nr. 6 BetrVGx",
        "Art. L. 1233-8 C. trav.",
        "article 5",
        "s. 188 TULRCA 1992",
        "чл. 130в, ал. 1 КТ",
        "5 straipsnis",
        "1992. évi I. törvény 5. §",
        "(art. (5))",
    ],
)
def test_a_place_of_no_law_or_of_another_country_does_not_pass(german: Grammar, text: str) -> None:
    assert not german.accepts(text)


def test_every_reference_place_of_every_country_passes_under_its_own_grammar(library: Library) -> None:
    for country in ("BG", "GB", "HU", "LT", "SE", "PT"):
        grammar, places = Grammar(library.grammar([country])), library.places([country])
        assert places
        refused = [place for place in places[::7] if not grammar.accepts(f"It says so, {place}.")]
        assert not refused


def test_a_text_that_began_with_a_place_opened_by_hand_takes_no_digit(library: Library) -> None:
    opening, root = opened(library.automaton, library.words)
    assert not library.automaton.accepts(f"{opening}9")
    for country in ("DE", "SE"):  # Swedish places begin with their number
        grammar = Grammar(going_on(library.grammar([country]), root))
        assert grammar.accepts("says so") and not any(grammar.accepts(f"{digit} § MBL") for digit in "123456789")


def test_without_places_no_text_cites_one(library: Library) -> None:
    grammar = Grammar(answer_grammar(library.automaton, ()))
    assert grammar.accepts("Nothing is owed.") and not grammar.accepts("§ 87 Abs. 1 Nr. 6 BetrVG")
