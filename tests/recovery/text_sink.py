"""A sink that writes tables as text, a file each, by the same rule as ClickHouse's: what is there is not written again.

It opens in no time, so that a test can afford many lives.
"""

from pathlib import Path
from typing import Any

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from schemas.output import Output


class TextSink(FixedPartitionedSink[Output, None]):
    """Rows of every desk and table as `seq<TAB>row` in `folder/desk/table.tsv`."""

    def __init__(self, folder: Path, desks: list[str]) -> None:
        self._folder, self._desks = folder, sorted(desks)

    def list_parts(self) -> list[str]:
        return self._desks

    def part_fn(self, item_key: str) -> int:
        return self._desks.index(item_key)

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> "TextPartition":
        return TextPartition(self._folder / for_part)


class TextPartition(StatefulSinkPartition[Output, None]):
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._last: dict[str, int] = {}
        for path in folder.glob("*.tsv"):
            text = path.read_bytes()
            whole = text[: text.rfind(b"\n") + 1]
            if whole != text:  # a kill left a line unfinished
                path.write_bytes(whole)
            self._last[path.stem] = int(whole.splitlines()[-1].split(b"\t")[0]) if whole else 0

    def write_batch(self, values: list[Output]) -> None:
        for output in values:
            for table, (first, rows) in output.streams.items():
                self._write(table, first, rows.tolist())

    def _write(self, table: str, first: int, rows: list[Any]) -> None:
        last = self._last.get(table, 0)
        assert first <= last + 1, f"{table}: row {last + 1} never came"
        fresh = list(enumerate(rows, first))[last + 1 - first :]
        if fresh:
            with (self._folder / f"{table}.tsv").open("ab", buffering=0) as file:
                file.write("".join(f"{seq}\t{row!r}\n" for seq, row in fresh).encode())
            self._last[table] = fresh[-1][0]

    def snapshot(self) -> None:
        return None


def read_tables(folder: Path) -> dict[str, str]:
    """Every table as it was written, by desk and name."""
    return {f"{path.parent.name}/{path.stem}": path.read_text() for path in sorted(folder.glob("*/*.tsv"))}
