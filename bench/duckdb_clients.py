"""Which DuckDB clients read `forge.duckdb`: each version in an environment of its own, every table and view queried.

Run: python bench/duckdb_clients.py [VERSION ...]. Needs the package index.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import duckdb
import polars as pl

from forge_resources.presentation.markdown import markdown
from forge_resources.storage.store import Store
from forge_resources.storage.tables import TABLES

VERSIONS = ("1.0.0", "1.1.3", "1.2.2", "1.3.2", "1.4.4", "1.5.0")

CLIENT = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
names = [".".join(row) for row in connection.execute(
    "SELECT table_schema, table_name FROM information_schema.tables").fetchall()]
for name in names:
    connection.execute(f"SELECT * FROM {name}").fetchall()
commented = connection.execute("SELECT count(*) FROM duckdb_columns() WHERE comment IS NOT NULL").fetchone()[0]
print(len(names), commented)
"""


def main(versions: tuple[str, ...]) -> None:
    """Print a row a version."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "data"))
        for name, table in TABLES.items():
            store.write(name, table.empty())
        database, rows = store.publish(), []
        for version in versions:
            home = Path(folder, version)
            venv.create(home, with_pip=True)
            python = home / "bin" / "python"
            asked = [python, "-m", "pip", "install", "--quiet", f"duckdb=={version}"]
            got = subprocess.run(asked, capture_output=True, encoding="utf-8")
            if got.returncode:
                rows.append({"client": version, "tables and views": None, "outcome": "not to be had here"})
                continue
            read = subprocess.run([python, "-c", CLIENT, database], capture_output=True, encoding="utf-8")
            if read.returncode:
                rows.append({"client": version, "tables and views": None, "outcome": read.stderr.splitlines()[-1]})
            else:
                count, commented = read.stdout.split()
                outcome = f"all read, {commented} columns with comments"
                rows.append({"client": version, "tables and views": int(count), "outcome": outcome})
    print(f"written by DuckDB {duckdb.__version__}\n")
    print(markdown(pl.DataFrame(rows)))


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or VERSIONS)
