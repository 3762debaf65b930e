"""The answers of a job that is taken up again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from forge_assets.training.inference.answer_file import AnswerFile
from forge_resources.storage.json_lines import read_json_lines

TAKE_UP_ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from forge_assets.training.inference.answer_file import AnswerFile
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
AnswerFile(Path(sys.argv[1]))
"""


def _answers(path: Path, count: int) -> list[str]:
    names = [f"{number:03}" for number in range(count)]
    kept = AnswerFile(path)
    for name in names:
        kept.keep(name, "§ 17 KSchG\u2028" * 3)
    return names


def test_a_torn_line_is_asked_again_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    *names, last = _answers(path, 4)
    path.write_bytes(path.read_bytes()[:-5])
    again = AnswerFile(path)
    assert again.done == set(names)
    again.keep(last, "§ 17 KSchG")
    assert [row["sample_id"] for row in read_json_lines(path)] == [*names, last]


def test_taking_up_a_job_on_a_full_disk_loses_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    names = _answers(path, 40)
    with path.open("ab") as file:
        file.write(b"no answer\n")
    ended = subprocess.run(
        [sys.executable, "-c", TAKE_UP_ON_A_FULL_DISK, str(path)], capture_output=True, encoding="utf-8"
    )
    assert "File too large" in ended.stderr
    assert AnswerFile(path).done == set(names)
