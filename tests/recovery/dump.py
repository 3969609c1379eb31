"""Writes every table of a target to a folder, as text that can be compared byte for byte.

    python -m tests.recovery.dump DSN FOLDER

The embedded engine admits one process at a time, so tables are read by a process that ends. Rows come without
FINAL: one that was written twice is there twice. `created_at`, the only clock of the wall, is left out.
"""

import sys
from pathlib import Path

from operators.sinks.address import Address
from operators.sinks.connection import client


def main(dsn: str, folder: Path) -> None:
    target = client(Address.parse(dsn))
    folder.mkdir(parents=True)
    tables = target.query("SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%Tree'")
    for (table,) in tables.result_rows:
        rows = target.raw_query(
            f"SELECT * EXCEPT (created_at) FROM {table} ORDER BY run, desk, seq", fmt="TabSeparatedWithNames"
        )
        (folder / f"{table}.tsv").write_bytes(rows)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
