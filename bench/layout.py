"""What the import graph says of the tree: rooms, arrows between them, floors, circles; sizes of modules and functions.

Run: python bench/layout.py [FOLDER]; FOLDER is a checkout of any version, this one by default.

A room is a folder of forge_assets, or forge_resources as a whole; inside a room its folders and modules are the places.
An arrow is drawn once between two places, however many imports it stands for; floors are the longest way down.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

Graph = Mapping[str, set[str]]
INSIDE = ("training", "law", "citations", "catalog", "search", "scenarios", "datasets", "cli")


def modules(root: Path) -> dict[str, Path]:
    """Dotted name to file."""
    files = (file for top in ("forge_assets", "forge_resources") for file in (root / top).rglob("*.py"))
    return {".".join(f.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): f for f in files}


def imports(found: Mapping[str, Path]) -> dict[str, set[str]]:
    """Module to the modules of the tree that it imports, lazily or not."""
    arrows: dict[str, set[str]] = defaultdict(set)
    for name, file in found.items():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            named: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.module:
                full = [f"{node.module}.{alias.name}" for alias in node.names]
                named = [one if one in found else node.module for one in full]
            elif isinstance(node, ast.Import):
                named = [alias.name for alias in node.names]
            arrows[name] |= {one for one in named if one in found and one != name}
    return arrows


def between(arrows: Graph, place: Callable[[str], str | None]) -> dict[str, set[str]]:
    """Arrows between places; None leaves a module out."""
    drawn: dict[str, set[str]] = defaultdict(set)
    for start, ends in arrows.items():
        for end in ends:
            here, there = place(start), place(end)
            if here and there and here != there:
                drawn[here].add(there)
    return drawn


def told(graph: Graph) -> str:
    """Places, arrows, and floors, or a circle."""
    places = {*graph, *(end for ends in graph.values() for end in ends)}
    said = f"{len(places)} places, {sum(map(len, graph.values()))} arrows"
    try:
        order = list(TopologicalSorter(graph).static_order())  # what is imported comes first
    except CycleError as error:
        return f"{said}, circle {' -> '.join(error.args[1])}"
    floor: dict[str, int] = {}
    for place in order:
        floor[place] = 1 + max((floor[end] for end in graph.get(place, ())), default=0)
    return f"{said}, {max(floor.values(), default=0)} floors, no circle"


def _room(name: str) -> str | None:
    parts = name.split(".")
    return "forge_resources" if parts[0] == "forge_resources" else ".".join(parts[:2]) if len(parts) > 1 else None


def _inside(prefix: str) -> Callable[[str], str | None]:
    depth = prefix.count(".") + 2
    return lambda name: ".".join(name.split(".")[:depth]) if name.startswith(f"{prefix}.") else None


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1])
    found = modules(root)
    arrows = imports(found)
    own = {name: file for name, file in found.items() if file.name != "__init__.py"}
    print(f"whole house: {told(between(arrows, _room))}")
    for prefix in (*(f"forge_assets.{room}" for room in INSIDE), "forge_resources"):
        count = sum(name.startswith(f"{prefix}.") for name in own)
        if count:
            print(f"{prefix}: {count} modules, {told(between(arrows, _inside(prefix)))}")
    lines = sorted(len(file.read_text("utf-8").splitlines()) for file in own.values())
    print(f"modules {len(lines)}: median {median(lines)} lines, p90 {lines[len(lines) * 9 // 10]}, max {lines[-1]}")
    nodes = (node for file in own.values() for node in ast.walk(ast.parse(file.read_text("utf-8"))))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = sorted((node.end_lineno or node.lineno) - node.lineno + 1 for node in functions)
    typed = sum(node.returns is not None for node in functions) / len(functions)
    print(f"functions {len(long)}: median {median(long)} lines, p95 {long[len(long) * 95 // 100]}; typed {typed:.0%}")
    print(f"widest folders: {Counter(str(f.parent.relative_to(root)) for f in own.values()).most_common(3)}")
    for top in ("forge_assets forge_resources", "tests", "bench"):
        files = [file for folder in top.split() for file in (root / folder).rglob("*.py")]
        print(f"{top}: {sum(len(file.read_text('utf-8').splitlines()) for file in files)} lines")


if __name__ == "__main__":
    main()
