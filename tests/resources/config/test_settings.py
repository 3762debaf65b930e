"""What the environment sets."""

from __future__ import annotations

import re

import pytest

from forge_resources.config.data_folder import PROJECT
from forge_resources.config.settings import VARIABLES, read_settings
from forge_resources.launchers.base import LauncherError
from forge_resources.launchers.registry import launcher_from_environment


def test_the_table_of_variables_lists_those_that_are_read() -> None:
    text = (PROJECT / "docs" / "operations.md").read_text("utf-8")
    table = text.split("## Environment variables")[1].split("\n\n")[1]
    rows = [line.split("|")[1] for line in table.splitlines() if "of `make`" not in line]
    assert sorted(re.findall(r"`([A-Z_]+)`", "".join(rows))) == sorted(VARIABLES)


def test_an_empty_variable_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_PROFILE", "")
    assert read_settings().profile == "cpu"
    monkeypatch.setenv("FORGE_PROFILE", "tiny")
    assert read_settings().profile == "tiny"


@pytest.mark.parametrize("value", ["two", "-1", "nan", "inf"])
def test_an_amount_of_ray_that_is_no_number_is_refused_by_its_name(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_LAUNCHER", "ray")
    monkeypatch.setenv("FORGE_RAY_CPUS", value)
    with pytest.raises(LauncherError, match=rf"FORGE_RAY_CPUS={value}: no amount: write a number"):
        launcher_from_environment()
