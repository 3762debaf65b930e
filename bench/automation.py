"""What the two sensors do after one edit, one comment and one broken file, with a real daemon over a copied pack.

Run: python bench/automation.py      (profile `tiny`, three countries; about eight minutes)
Prints the runs that each change caused, by job and partition.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
COUNTRIES = ("at", "de", "fr")
SETTLED_SECONDS = 60
"""No new run for this long: whatever a change caused was caused."""


def main() -> None:
    """Bring a copy up to date, start the daemon, make three changes and report each one's runs."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        pack = root / "labour"
        shutil.copytree(PROJECT / "frameworks" / "labour", pack)
        for path in (pack / "jurisdictions").glob("*.yaml"):
            if path.stem not in COUNTRIES:
                path.unlink()
        shutil.copy(PROJECT / "dagster.yaml", root)
        environment = {
            "FORGE_PROFILE": "tiny",
            "FORGE_DATA": str(root / "data"),
            "FORGE_PACK": str(pack),
            "FORGE_DAGSTER": str(root / "data" / "dagster"),
            "DAGSTER_HOME": str(root),
        }
        os.environ.update(environment)
        started = time.time()
        subprocess.run([sys.executable, "-m", "forge_assets.cli.main", "run"], check=True, stdout=subprocess.DEVNULL)
        print(f"whole graph, profile tiny: {time.time() - started:.0f} s")
        with (root / "daemon.log").open("w", encoding="utf-8") as log:
            command = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(PROJECT / "workspace.yaml")]
            daemon = subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log)
            try:
                observe(pack)
            finally:
                daemon.terminate()
                daemon.wait()


def observe(pack: Path) -> None:
    """Make the three changes, one after the other."""
    import dagster as dg

    german = pack / "jurisdictions" / "de.yaml"
    good = german.read_text("utf-8")
    with dg.DagsterInstance.get() as instance:
        report(instance, "daemon started; France is new to it")
        german.write_text("# a comment\n" + good, "utf-8")
        report(instance, "a comment in de.yaml")
        changed = good.replace("deadline: before the dismissals", "deadline: before the dismissals take effect")
        assert changed != good
        german.write_text(changed, "utf-8")
        report(instance, "one provision in de.yaml")
        german.write_text(changed.replace("level: consultation", "level: consultatoin", 1), "utf-8")
        austrian = pack / "jurisdictions" / "at.yaml"
        austrian.write_text(austrian.read_text("utf-8").replace("level: consultation", "level: information", 1))
        report(instance, "de.yaml broken, one provision in at.yaml")
        check = dg.AssetCheckKey(dg.AssetKey("framework_catalog"), "readable")
        for record in instance.event_log_storage.get_asset_check_execution_history(check, limit=20):
            evaluation = record.evaluation
            if evaluation is not None and not evaluation.passed:
                print(f"  check `readable` failed: {evaluation.description}")
                break


def report(instance: object, change: str) -> None:
    """Wait until no run is active and none has come for a while, then print the new ones."""
    before = {run.run_id for run in instance.get_runs()}  # type: ignore[attr-defined]
    quiet_since = time.time()
    while time.time() - quiet_since < SETTLED_SECONDS:
        time.sleep(2)
        if not all(run.is_finished for run in instance.get_runs()):  # type: ignore[attr-defined]
            quiet_since = time.time()
    new = [run for run in reversed(instance.get_runs()) if run.run_id not in before]  # type: ignore[attr-defined]
    print(f"{change}: {len(new)} runs")
    for run in new:
        print(f"  {run.job_name} {run.tags.get('dagster/partition', '')} {run.status.value}")


if __name__ == "__main__":
    main()
