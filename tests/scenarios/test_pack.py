"""A mistake in companies.yaml or tasks.yaml is refused with file, line and mend."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from forge_assets.law.model import Domain, Framework
from forge_assets.scenarios.answers.blocks.registry import BLOCKS
from forge_assets.scenarios.answers.case import DEPTHS
from forge_assets.scenarios.pack.block_names import BLOCK_NAMES
from forge_assets.scenarios.pack.files import Pack, load_pack
from forge_resources.config.strict_yaml import SourceError
from tests.helpers import edit_copy

SHIPPED = Path(__file__).parents[2] / "frameworks" / "labour"


def broken(folder: Path, file: str, old: str, new: str) -> int:
    """Copy the pack with one replacement made; the line it stands on."""
    worded = [f"{part}/{code}.yaml" for part in ("languages", "answers", "exhibits") for code in ("en", "de")]
    for name in ("companies.yaml", "tasks.yaml", "exhibits.yaml", *worded):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(SHIPPED / name, folder / name)
    return edit_copy(folder / file, folder / file, old, new)


def test_every_block_a_task_may_name_exists_and_is_used(pack: Pack) -> None:
    assert set(BLOCK_NAMES) == set(BLOCKS)
    asked = [task.sections(depth) for task in pack.tasks if task.kind == "case" for depth in DEPTHS]
    assert {section.block for sections in asked for section in sections} == set(BLOCKS)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("companies.yaml", "  - id: hotel", "  - sektor: hotel\n    id: hotel", "sektor"),
        ("companies.yaml", "works_council: [true, true, false]", "works_counsel: [true]", "works_counsel"),
        ("companies.yaml", "id: food_plant", "id: hospital", "hospital"),
        ("companies.yaml", "{min: 7, max: 18}", "{min: 18, max: 7}", "min 18 is above max 7"),
        ("companies.yaml", "{min: 7, max: 18}", "[true]", "integer"),
        ("companies.yaml", "share_of: employees, percent: [3", "share_of: visitors, percent: [3", "visitors"),
        ("tasks.yaml", "block: thresholds", "block: threshold", "thresholds"),
        ("tasks.yaml", "lowest_level: consultation", "lowest_level: consulting", "consulting"),
        ("tasks.yaml", "changes: [restructuring, site_closure", "changes: [restructure, site_closure", "restructure"),
        ("tasks.yaml", "body: works_council", "body: [works_council]", "body"),
        ("tasks.yaml", "id: cba_summary", "id: legal_advisory", "legal_advisory"),
        ("languages/en.yaml", "  hotel: hotel", "  hostel: hotel", "differs from the pack in hostel, hotel"),
        ("languages/en.yaml", "    needs: works_council", "    needs: council", "council is no fact"),
        ("languages/en.yaml", "{question} {close}\\n\\nThank you", "{question}\\n\\nThank you", "email lacks {close}"),
        ("languages/de.yaml", '"Abschnitte: {sections}."', '"Abschnitte."', "lacks {sections}"),
        ("answers/en.yaml", "  comes_and_goes:", "  comes_or_goes:", "comes_and_goes, comes_or_goes"),
        (
            "answers/en.yaml",
            "{level}, owed to the {body}",
            "{level}, owed to the {boody}",
            "owed must have {level} {body}",
        ),
        ("answers/en.yaml", '"No provision applies: {reason}."', '"Nothing applies: {reason}."', "says `none`"),
        ("answers/en.yaml", "Case law, collective", "Case law of 2026, collective", "has a digit"),
        ("answers/de.yaml", "  not_applying: Was nicht greift\n", "", "not_applying"),
        ("answers/de.yaml", "  information: Unterrichtung", "  informing: Unterrichtung", "information, informing"),
        ("languages/de.yaml", "language: de", "language: fr", "its name says de"),
        ("languages/de.yaml", "  legal_advisory:", "  advice:", "advice, legal_advisory"),
    ],
)
def test_a_mistake_is_refused_with_its_file_and_line(
    tmp_path: Path, domain: Domain, file: str, old: str, new: str, says: str
) -> None:
    line = broken(tmp_path, file, old, new)
    with pytest.raises(SourceError) as refused:
        load_pack(tmp_path, domain)
    assert says in str(refused.value)
    assert refused.value.path == tmp_path / file
    assert file.startswith(("languages", "answers")) or abs(refused.value.line - line) <= 1


def test_a_change_type_without_wording_is_refused(tmp_path: Path, domain: Domain) -> None:
    broken(tmp_path, "languages/de.yaml", "  restructuring:\n", "  reorganising:\n")
    with pytest.raises(SourceError, match=r"differs from the pack in reorganising, restructuring"):
        load_pack(tmp_path, domain)


def test_a_language_that_answers_but_cannot_ask_for_a_length_is_refused(tmp_path: Path, domain: Domain) -> None:
    broken(tmp_path, "languages/de.yaml", "  memo: [", "  english_sections: [")
    with pytest.raises(SourceError, match=r"`english_sections` is given twice|closings have no memo"):
        load_pack(tmp_path, domain)


def test_every_language_of_a_country_whose_law_is_taught_has_words(
    pack: Pack, frameworks: dict[str, Framework]
) -> None:
    spoken = {f.language: f.jurisdiction for f in frameworks.values()}
    assert spoken.keys() == pack.languages.keys()
    for language, code in spoken.items():
        assert code == "EU" or code in pack.languages[language].countries


def test_a_pack_without_english_is_refused(tmp_path: Path, domain: Domain) -> None:
    broken(tmp_path, "tasks.yaml", "tasks:", "tasks:")
    (tmp_path / "languages" / "en.yaml").unlink()
    with pytest.raises(SourceError, match=r"en\.yaml:1: the file is missing"):
        load_pack(tmp_path, domain)
