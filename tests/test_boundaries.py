"""The walls between rooms, and what loading the code location may cost."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import forge_assets
import forge_resources

HEAVY = {"torch", "transformers", "peft", "trl", "bitsandbytes", "wandb", "datasets", "ray", "kubernetes"}


def test_loading_the_definitions_imports_no_machine_learning_library() -> None:
    code = "import sys, forge_assets.definitions; print(' '.join({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    ).stdout.split()
    assert not HEAVY & set(loaded)


def test_every_module_can_be_imported() -> None:
    """In the default tier, so that no module is left to the second alone."""
    names = [
        module.name
        for package in (forge_assets, forge_resources)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    done = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert len(names) > 200


def test_resources_name_no_module_that_is_built_on_them_not_even_in_a_string() -> None:
    """A string that is run or imported is a tie that lint-imports cannot see."""
    found = [
        f"{file}: {node.value}"
        for file in Path(forge_resources.__path__[0]).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "forge_assets" in node.value
    ]
    assert found == []
