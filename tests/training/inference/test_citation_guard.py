"""What the guard makes impossible: places written by hand, and places of countries that are not asked about."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import torch

from forge_assets.citations.parser import parse
from forge_assets.training.base_models import citation_rows, guard_of
from forge_assets.training.inference.batch_decoding import Row
from forge_assets.training.inference.citation_guard import CitationGuard
from forge_assets.training.models.citation_tokens import CitationToken, add_tokens
from forge_assets.training.models.loading import load_tokenizer
from tests import shipped

Guarded = tuple[CitationGuard, object, tuple[CitationToken, ...]]


@pytest.fixture(scope="module")
def guarded(tiny_model: Path) -> Guarded:
    """The guard of the shipped pack with a token for every principal place of five countries."""
    tokenizer, countries = load_tokenizer(tiny_model), list(shipped.countries().values())
    keys = [
        str(provision.cite)
        for country in countries
        if country.framework.jurisdiction in ("AT", "DE", "SE", "FR", "EU")
        for provision in country.framework.provisions
    ]
    rows = citation_rows(pl.DataFrame({"expected_citations": [keys]}), countries)
    tokens = add_tokens(tokenizer, [(row["text"], tuple(row["places"])) for row in rows])
    asked = {"at": ["AT"], "de": ["DE"], "both": ["AT", "DE"]}
    return CitationGuard(guard_of(shipped.domain(), countries), tokenizer, tokens, asked), tokenizer, tokens


def possible(guarded: Guarded, said: str, name: str = "free") -> set[str]:
    """Texts of the tokens that may come after what was said."""
    guard, tokenizer, _ = guarded
    row = Row(name, [], tokenizer(said, add_special_tokens=False).input_ids)  # type: ignore[operator]
    scores = guard.hold(torch.zeros(1, len(tokenizer)), [row])  # type: ignore[arg-type]
    return {tokenizer.decode([i]) for i in (scores[0] == 0).nonzero().flatten().tolist()}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "said",
    [
        "Co-determination, §",
        "See § ",
        "Art. ",
        "under Article ",
        "s. ",
        "see Section",
        "§§ ",
        "(čl. ",
        "artículo ",
        "art. L. ",
    ],
)
def test_no_number_follows_words_that_open_a_place(guarded: Guarded, said: str) -> None:
    found = possible(guarded, said)
    assert not any(text.strip()[:1].isdigit() for text in found)
    assert "e" in found


def test_no_section_sign_follows_a_number(guarded: Guarded) -> None:
    assert "§" not in {text.strip() for text in possible(guarded, "enligt 11 ")}
    assert "§" in {text.strip() for text in possible(guarded, "enligt ")} | {"§"}


@pytest.mark.parametrize("said", ["", "120 employees, at least ", "The threshold is met: ", "signed on 3/", "20 of 1"])
def test_numbers_stay_possible_where_no_place_is_begun(guarded: Guarded, said: str) -> None:
    assert any(text.strip()[:1].isdigit() for text in possible(guarded, said))


def test_only_places_of_the_countries_asked_about_and_of_their_union_are_possible(guarded: Guarded) -> None:
    _, _, tokens = guarded
    texts = {token.text: {place[:2] for place in token.places} for token in tokens}
    for name, countries in {"at": {"AT"}, "de": {"DE"}, "both": {"AT", "DE"}}.items():
        found = possible(guarded, "That is ", name) & texts.keys()
        assert found
        assert all(texts[text] & (countries | {"EU"}) for text in found)
    assert texts.keys() <= possible(guarded, "That is ")


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_drawn_cites_no_place_that_is_not_held(guarded: Guarded, seed: int) -> None:
    """Text drawn from letters, numbers and heads alone, as the worst of models might."""
    guard, tokenizer, tokens = guarded
    heads = [
        "§",
        " §",
        "Art",
        ".",
        " ",
        "1",
        "8",
        "7",
        "a",
        "s",
        " Nr",
        " Abs",
        "Section",
        " of",
        " the",
        "BetrVG",
        " Act",
    ]
    likely = sorted({i for text in heads for i in tokenizer(text, add_special_tokens=False).input_ids})  # type: ignore[operator]
    draw, row = torch.Generator().manual_seed(seed), Row("de", [])
    places = [token.id for token in tokens]
    for _ in range(400):
        scores = torch.full((1, len(tokenizer)), -torch.inf)  # type: ignore[arg-type]
        scores[0, likely], scores[0, places] = 3.0, 0.0
        shares = guard.hold(scores, [row])[0].softmax(-1)
        row.new.append(int(torch.multinomial(shares, 1, generator=draw)))
    text = tokenizer.decode(row.new)  # type: ignore[attr-defined]
    invented = [c.text for c in parse(text, shipped.laws(), "DE") if c.status == "fabricated"]
    assert invented == [], text
