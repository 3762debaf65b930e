"""The dataset for other tools."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from forge_assets.cli.main import main
from forge_assets.datasets.export.dataset_card import DESCRIPTIONS, DatasetInfo, LawInfo
from forge_assets.datasets.export.writer import export_dataset
from forge_assets.datasets.roles import prompt_rows, training_rows
from forge_resources.config.chosen import pack_folder
from forge_resources.config.strict_yaml import read_yaml
from forge_resources.storage.store import Store
from forge_resources.storage.tables import TABLES

INFO = DatasetInfo(
    name="labour",
    title="Labour law",
    summary="Questions and answers.",
    version="1.0.0",
    licence="Apache-2.0",
    published=dt.date(2026, 11, 25),
    laws=(
        LawInfo(
            jurisdiction="NO",
            law_id="aml",
            title="Arbeidsmiljøloven",
            english="Working Environment Act",
            text_as_of=dt.date(2026, 8, 19),
            status="current, except 15-3",
            coverage="excerpt",
            note="chapters 8 and 15 only",
        ),
        LawInfo(
            jurisdiction="PL",
            law_id="kp",
            title="Kodeks pracy",
            english="Labour Code",
            text_as_of=dt.date(2024, 1, 1),
            status="outdated",
            coverage="complete",
        ),
    ),
    sources="# Sources\n",
)
SPLITS = ("train", "benchmark", "withheld", "train", "validation", "benchmark", "train")


def row(number: int, split: str) -> dict[str, Any]:
    """A sample in the columns of `scenarios.samples`."""
    name = hashlib.sha256(str(number).encode()).hexdigest()[:24]
    return {
        "sample_id": name,
        "question_id": f"question {number}",
        "scenario_id": f"scenario {number}",
        "jurisdictions": ["DE", "NO"] if number == 3 else ["NO"],
        "task_type": "compare" if number == 3 else "duty",
        "variant": "below_threshold" if number == 5 else "plain",
        "split": split,
        "language": "no" if number == 6 else "en",
        "register": "email",
        "asker": "HR lead",
        "system": "You are counsel.",
        "prompt": f'Case {number}: “§ 15-3”,\n"quoted"\u2028and so on?',
        "output_schema": "",
        "response": f"## Answer\n\n{split} {number}: § 15-3 (1) aml — yes.",
        "sections": ["Answer"],
        "expected_citations": [] if number == 5 else ["NO:aml:15-3:1"],
        "expected_level": "consultation",
        "expected_body": "tillitsvalgte",
        "answer_language": "en",
        "depth": "note",
        "expected_fields": [{"field": "body", "said": ["union representatives", "tillitsvalgte"]}],
        "level_words": [{"level": "consultation", "said": ["Consultation"]}],
        "change_type": "restructuring",
        "provenance": ["no-aml-15-3"],
        "provenance_versions": ["abc"],
    }


@pytest.fixture
def samples() -> pl.DataFrame:
    return pl.DataFrame([row(number, split) for number, split in enumerate(SPLITS)])


def parts(folder: Path, frame: pl.DataFrame, sizes: tuple[int, ...] = (3, 4)) -> list[Path]:
    """The frame as Parquet files of that many rows each."""
    folder.mkdir()
    written, start = [], 0
    for size in sizes:
        written.append(folder / f"{start}.parquet")
        frame.slice(start, size).write_parquet(written[-1])
        start += size
    return written


def tree(folder: Path) -> dict[str, bytes]:
    """Every file's bytes by path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


LOAD = """
import json, sys
from datasets import load_dataset
found = {}
for config in ("default", "messages"):
    loaded = load_dataset(sys.argv[1], config, cache_dir=sys.argv[2])
    found[config] = {split: list(rows) for split, rows in loaded.items()}
assert load_dataset(sys.argv[1], cache_dir=sys.argv[2]).keys() == {"train", "validation", "test"}
print(json.dumps(found))
"""


def test_datasets_loads_both_configurations_without_a_network(tmp_path: Path, samples: pl.DataFrame) -> None:
    made = export_dataset(parts(tmp_path / "parts", samples), tmp_path / "out", INFO)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(made), str(tmp_path / "cache")],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    for split, ours in (("train", "train"), ("validation", "validation"), ("test", "benchmark")):
        expected = [
            {**each, "split": split}
            for each in samples.rename({"response": "completion"}).sort("sample_id").to_dicts()
            if each["split"] == ours
        ]
        assert loaded["default"][split] == expected
        assert list(loaded["default"][split][0])[:4] == ["prompt", "completion", "system", "sample_id"]
        assert loaded["messages"][split] == lines(made / f"messages/{split}.jsonl")


def test_the_messages_are_those_that_the_chain_trains_and_asks_with(tmp_path: Path, samples: pl.DataFrame) -> None:
    sets = samples.sort("sample_id").select(pl.col("split").alias("role"), pl.all()).with_row_index("position")
    made = export_dataset(parts(tmp_path / "parts", sets), tmp_path / "out", INFO)
    assert lines(made / "messages/train.jsonl") == [
        {"sample_id": r["sample_id"], "messages": [*r["prompt"], *r["completion"]]} for r in training_rows(sets)
    ]
    assert [
        {"sample_id": r["sample_id"], "prompt": r["messages"][:-1]} for r in lines(made / "messages/test.jsonl")
    ] == [{"sample_id": r["sample_id"], "prompt": r["prompt"]} for r in prompt_rows(sets, "benchmark")]


def test_of_a_chain_s_sets_only_the_roles_named_like_a_split_are_exported(
    tmp_path: Path, samples: pl.DataFrame
) -> None:
    roles = ("train", "benchmark", "benchmark", "extended", "validation", "contrast", "train")
    sets = samples.select(pl.Series("role", roles), pl.lit("").alias("pair"), pl.all()).with_row_index("position")
    again = sets.filter(pl.col("role") == "validation").with_columns(role=pl.lit("choice"))
    made = export_dataset(parts(tmp_path / "parts", pl.concat([sets, again]), (8,)), tmp_path / "out", INFO)
    exported = pl.concat([pl.read_parquet(p) for p in (made / "data").iterdir()])
    assert sorted(exported["sample_id"]) == sorted(row(n, "")["sample_id"] for n in (0, 1, 4, 6))
    assert not {"role", "pair", "position"} & set(exported.columns)


def test_a_withheld_sample_is_in_no_file(tmp_path: Path, samples: pl.DataFrame) -> None:
    made = export_dataset(parts(tmp_path / "parts", samples), tmp_path / "out", INFO)
    withheld = samples.filter(pl.col("split") == "withheld")["sample_id"].item()
    assert withheld not in [i for p in made.glob("*/*.parquet") for i in pl.read_parquet(p)["sample_id"]]
    assert not any(withheld.encode() in content for name, content in tree(made).items() if "jsonl" in name)


def test_equal_samples_give_equal_bytes_however_they_are_cut(tmp_path: Path, samples: pl.DataFrame) -> None:
    first = tree(export_dataset(parts(tmp_path / "a", samples), tmp_path / "out", INFO))
    shuffled = samples.sample(fraction=1, shuffle=True, seed=1)
    assert tree(export_dataset(parts(tmp_path / "b", shuffled, (1, 6)), tmp_path / "other", INFO)) == first
    assert tree(export_dataset(parts(tmp_path / "c", shuffled, (7,)), tmp_path / "out", INFO)) == first


def test_an_earlier_export_is_replaced_whole(tmp_path: Path, samples: pl.DataFrame) -> None:
    files = parts(tmp_path / "parts", samples)
    export_dataset(files, tmp_path / "out", INFO)
    made = export_dataset(files[:1], tmp_path / "out", INFO.model_copy(update={"sources": ""}))
    assert set(tree(made)) == {
        *("data/train.parquet", "messages/train.parquet", "messages/train.jsonl"),
        *("data/test.parquet", "messages/test.parquet", "messages/test.jsonl"),
        *("README.md", "croissant.json", "SHA256SUMS"),
    }
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "parts"]


@pytest.mark.parametrize("beside", [False, True])
def test_a_folder_with_anything_else_in_it_is_refused_and_left_as_it_was(
    tmp_path: Path, samples: pl.DataFrame, beside: bool
) -> None:
    files, out = parts(tmp_path / "parts", samples), tmp_path / "out"
    if beside:
        export_dataset(files, out, INFO)
    (out / "thesis").mkdir(parents=True)
    (out / "thesis" / "notes.txt").write_text("mine", "utf-8")
    before = tree(out)
    with pytest.raises(ValueError, match=r"out holds thesis/notes.txt, which no export wrote: name a new folder"):
        export_dataset(files, out, INFO)
    assert tree(out) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "parts"]


def test_a_file_in_the_folder_s_place_is_refused(tmp_path: Path, samples: pl.DataFrame) -> None:
    (tmp_path / "out").write_text("mine", "utf-8")
    with pytest.raises(ValueError, match="no export wrote"):
        export_dataset(parts(tmp_path / "parts", samples), tmp_path / "out", INFO)
    assert (tmp_path / "out").read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda samples: samples.drop("language"), "no column language: compose them again with `forge run`"),
        (lambda samples: pl.concat([samples, samples[:1]]), "1 samples come twice"),
        (lambda samples: samples.filter(pl.col("split") == "withheld"), "nothing to export"),
        (lambda samples: samples.with_columns(at=dt.time(1)), "column at is of type TIME"),
    ],
)
def test_what_cannot_be_exported_leaves_the_earlier_export(
    tmp_path: Path, samples: pl.DataFrame, change: Any, words: str
) -> None:
    out = export_dataset(parts(tmp_path / "parts", samples), tmp_path / "out", INFO)
    before = tree(out)
    with pytest.raises(ValueError, match=words):
        export_dataset(parts(tmp_path / "broken", change(samples), (8,)), out, INFO)
    assert tree(out) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken", "out", "parts"]


def test_the_sums_name_every_other_file_and_match(tmp_path: Path, samples: pl.DataFrame) -> None:
    files = tree(export_dataset(parts(tmp_path / "parts", samples), tmp_path / "out", INFO))
    listed = [line.split("  ") for line in files.pop("SHA256SUMS").decode().splitlines()]
    assert {name: found for found, name in listed} == {n: hashlib.sha256(b).hexdigest() for n, b in files.items()}
    described = {f["contentUrl"]: f for f in json.loads(files["croissant.json"])["distribution"]}
    assert described.keys() == {name for name in files if "/" in name}
    for name, file in described.items():
        assert file["sha256"] == hashlib.sha256(files[name]).hexdigest()
        assert file["contentSize"] == f"{len(files[name])} B"


def test_croissant_describes_each_column_of_each_table(tmp_path: Path, samples: pl.DataFrame) -> None:
    made = export_dataset(parts(tmp_path / "parts", samples), tmp_path / "out", INFO)
    described = json.loads((made / "croissant.json").read_text("utf-8"))
    assert described["datePublished"] == "2026-11-25"
    for record_set in described["recordSet"]:
        table = pl.read_parquet(made / f"data/{record_set['name']}.parquet")
        fields = {field["name"]: field for field in record_set["field"]}
        assert list(fields) == table.columns
        assert {name for name, field in fields.items() if field.get("repeated")} == set(
            table.select(pl.selectors.list()).columns
        )
        assert all(field["description"] == DESCRIPTIONS[name] for name, field in fields.items())


def test_the_card_has_front_matter_counts_and_the_law_of_the_countries_asked_about(
    tmp_path: Path, samples: pl.DataFrame
) -> None:
    made = export_dataset(parts(tmp_path / "parts", samples), tmp_path / "out", INFO)
    _, front, body = (made / "README.md").read_text("utf-8").split("---\n", 2)
    (tmp_path / "front.yaml").write_text(front, "utf-8")
    matter, _ = read_yaml(tmp_path / "front.yaml")
    assert "- 'no'" in front, "hubs read YAML 1.1, where a bare no is false"
    assert matter["language"] == ["en", "no"]
    assert matter["license"] == "apache-2.0"
    assert matter["size_categories"] == ["n<1K"]
    assert [config["config_name"] for config in matter["configs"]] == ["default", "messages"]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines() if line[:1] == "|"]
    assert ["task_type", "jurisdictions", "below_threshold", "plain"] in rows
    assert ["compare", "DE + NO", "0", "1"] in rows
    assert ["duty", "NO", "1", "4"] in rows
    assert any(r[:4] == ["NO", "Arbeidsmiljøloven", "Working Environment Act", "2026-08-19"] for r in rows)
    assert "chapters 8 and 15 only" in body
    assert "Kodeks pracy" not in body
    assert all(f"- `{name}` (" in body for name in samples.columns if name != "response")


def test_forge_export_says_what_to_do_if_nothing_was_composed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORGE_DATA", str(tmp_path / "data"))
    for chosen in ("all", "chain"):
        assert main(["export", str(tmp_path / "out"), "--set", chosen]) == 1
        assert capsys.readouterr().err == "nothing was composed yet: run `forge run`\n"
    assert not (tmp_path / "out").exists()


def test_forge_export_writes_the_samples_of_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_DATA", str(tmp_path / "data"))
    store = Store(tmp_path / "data")
    whole = pl.DataFrame([row(n, s) for n, s in enumerate(SPLITS)], schema=TABLES["scenarios.samples"].schema)
    for start in (0, 3):
        store.write("scenarios.samples", whole.slice(start, 3 + start), f"part{start}")
    assert main(["export", str(tmp_path / "out")]) == 0
    assert sum(pl.read_parquet(p).height for p in (tmp_path / "out" / "data").iterdir()) == 6
    assert (tmp_path / "out" / "SOURCES.md").read_bytes() == (pack_folder() / "statutes" / "SOURCES.md").read_bytes()


@pytest.mark.parametrize("name", ["a*b", "[ab]", "a?b", "a\\b", "a%20b", "a'b"])
def test_a_dataset_is_written_wherever_it_is_wanted_and_from_wherever_its_rows_are(tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame([row(n, s) for n, s in enumerate(SPLITS)])
    (tmp_path / name).mkdir()
    (tmp_path / "axb").mkdir()
    parts(tmp_path / "axb" / "given", frame.with_columns(sample_id=pl.lit("another")))
    plain = export_dataset(parts(tmp_path / "given", frame), tmp_path / "out", INFO)
    odd = export_dataset(parts(tmp_path / name / "given", frame), tmp_path / name / "out", INFO)
    assert tree(odd) == tree(plain)
