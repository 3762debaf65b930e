"""`forge deployments`, `forge promote` and `forge rollback` as a person sees them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from forge_assets.cli.commands.delivery import delivered
from forge_assets.cli.main import app
from forge_assets.delivery.deployment import Deployments
from forge_resources.config.data_folder import claim
from tests.delivery.deployments import GOOD, WORSE, planted


@pytest.fixture
def kept(tmp_path: Path) -> Deployments:
    claim(tmp_path / "data")
    return Deployments(tmp_path / "data" / "deployments")


def forge(kept: Deployments, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, arguments, env={"FORGE_DATA": str(kept.root.parent)})
    return done.exit_code, done.output


def test_a_better_model_goes_live_and_back_and_a_worse_one_is_refused(kept: Deployments, tmp_path: Path) -> None:
    first, better = planted(kept, tmp_path, "first", 1), planted(kept, tmp_path, "better", 2)
    worse = planted(kept, tmp_path, "worse", 3, checks=(GOOD, WORSE))
    assert forge(kept, "promote", first.digest[:10]) == (0, f"live: {first.name}\n")
    assert forge(kept, "promote", better.digest[:10]) == (0, f"live: {better.name}\n")
    status, said = forge(kept, "promote", worse.digest[:10])
    assert status != 0
    assert "is not promoted: no_regression: -0.200" in " ".join(said.split())
    status, said = forge(kept, "deployments")
    states = {line.split()[0]: line for line in said.splitlines() if line.strip()[:1].isalnum()}
    assert (status, "refused" in states[worse.digest[:12]], "live" in states[better.digest[:12]]) == (0, True, True)
    assert forge(kept, "rollback") == (0, f"live: {first.name}\n")
    assert forge(kept, "rollback")[0] != 0
    assert kept.live() == first


def test_a_digest_that_several_or_none_begin_with_is_refused(kept: Deployments, tmp_path: Path) -> None:
    assert forge(kept, "deployments") == (0, "no deployment yet: `forge run` makes one\n")
    made = planted(kept, tmp_path, "one", 1)
    status, said = forge(kept, "promote", "zz")
    assert status != 0
    assert made.digest[:12] in said


def test_a_chain_ends_with_the_file_and_a_question_or_with_why_not(kept: Deployments, tmp_path: Path) -> None:
    made = planted(kept, tmp_path, "one", 1, question="Who\ndecides in Mike's firm?")
    assert delivered(kept, made.digest) == f"deployment {made.digest[:12]} is not live: it was rolled back"
    kept.promote(made.digest)
    model, asked = delivered(kept, made.digest).splitlines()
    assert Path(model.removeprefix("model: ")).read_text("utf-8") == "one"
    assert asked.endswith("""forge ask 'Who decides in Mike'"'"'s firm?'""")
    worse = planted(kept, tmp_path, "worse", 2, checks=(WORSE,))
    assert delivered(kept, worse.digest).startswith(f"deployment {worse.digest[:12]} is not live: no_regression: -0.2")
