"""A table on a terminal keeps to its width; in a pipe every row is one whole line."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from forge_assets.cli.chain_plan import planned
from forge_resources.config.model_registry import ModelLibrary
from forge_resources.config.profile import load_profile

PLAN = [sys.executable, "-m", "forge_assets.cli.main", "plan", "h100"]


def printed_on_a_terminal(columns: int, data: Path) -> str:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "FORGE_DATA": str(data), "TERM": "xterm", "NO_COLOR": "1"}
    process = subprocess.Popen(PLAN, stdout=theirs, env=environment)
    os.close(theirs)
    read = b""
    try:
        while part := os.read(ours, 4096):
            read += part
    except OSError:  # how a terminal of Linux says that nobody writes to it any more
        pass
    os.close(ours)
    assert process.wait() == 0
    return read.decode()


def test_on_a_terminal_it_is_drawn_to_its_width_and_loses_no_figure(tmp_path: Path) -> None:
    table, _ = planned(load_profile("h100"), ModelLibrary(tmp_path))
    lines = re.sub(r"\x1b\[[0-9;]*m", "", printed_on_a_terminal(90, tmp_path)).splitlines()
    drawn = [line for line in lines if line not in (table.title, table.note)]
    assert max(map(len, drawn)) <= 90 < max(map(len, table.plain().splitlines()[2:-2]))
    for row in table.rows:
        assert any(line.split()[-1:] == [row[-1]] and f" {row[2]} " in line for line in drawn), row


def test_in_a_pipe_no_line_is_broken_or_cut(tmp_path: Path) -> None:
    table, _ = planned(load_profile("h100"), ModelLibrary(tmp_path))
    environment = {**os.environ, "COLUMNS": "40", "FORGE_DATA": str(tmp_path)}
    done = subprocess.run(PLAN, capture_output=True, encoding="utf-8", env=environment)
    assert done.stdout == f"{table.plain()}\n"
