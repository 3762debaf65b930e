"""Whose deaths for want of memory are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from forge_resources.processes.cause import out_of_memory_kills


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine on which the kernel killed nine processes, as a kernel's own files say."""
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "vmstat").write_text("nr_free_pages 1\noom_kill 9\ndrop_slab 0\n", "utf-8")
    (tmp_path / "proc" / "self" / "cgroup").write_text("0::/user.slice/job.scope\n", "utf-8")
    return tmp_path


def _group(root: Path, name: str, kills: int) -> None:
    folder = root / "sys" / "fs" / "cgroup" / name
    folder.mkdir(parents=True, exist_ok=True)
    said = f"low 0\nhigh 0\nmax 12\noom {kills}\noom_kill {kills}\noom_group_kill 0\n"
    (folder / "memory.events").write_text(said, "utf-8")


def test_what_the_kernel_kills_in_other_groups_is_not_counted(root: Path) -> None:
    _group(root, "user.slice/job.scope", 2)
    assert out_of_memory_kills(root) == 2


def test_a_container_that_sees_its_group_as_the_root_counts_it(root: Path) -> None:
    _group(root, "", 3)
    assert out_of_memory_kills(root) == 3


def test_without_a_count_of_the_group_the_machine_is_counted(root: Path) -> None:
    assert out_of_memory_kills(root) == 9
    (root / "proc" / "vmstat").unlink()
    assert out_of_memory_kills(root) == 0
