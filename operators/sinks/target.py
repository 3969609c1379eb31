"""The ClickHouse target of a run: its tables, the run's registration, inserts, and how far they got."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from operators.operator import Desk
from operators.sinks import ddl
from operators.sinks.address import Address
from operators.sinks.connection import client
from operators.sinks.faults import reported
from operators.sinks.views import VIEWS
from schemas.errors import TargetError
from schemas.record import Schema

_WHOLE_INSERT = {
    "async_insert": 0,  # answered when written, not when queued
    "max_insert_threads": 1,
    "max_threads": 1,  # one block is no work to share out
    "optimize_on_insert": 0,  # no two rows of an insert have the same key: there is nothing to replace yet
    "min_insert_block_size_rows": 0,  # the one block that was sent is the one part that is written
    "min_insert_block_size_bytes": 0,
    "max_insert_block_size": 2**40,
}
"""Settings that make an insert appear whole or not at all."""


class Target:
    """A database of a ClickHouse server (`clickhouse://user:password@host:port/database`, `clickhouses://` for TLS)
    or a directory of the embedded engine (`chdb:///absolute/directory`).

    Constructing it connects to nothing. Every other method raises TargetError in one line that shows no
    password, and its subclass TargetUnavailableError where trying again later can help.
    """  # noqa: D205 (the DSN forms belong in the first sentence)

    def __init__(self, dsn: str) -> None:
        self.address = Address.parse(dsn)

    def prepare(self, schemas: Iterable[Schema]) -> None:
        """Create the tables of `schemas`, `runs`, `instruments` and the views, or bring them up to date.

        Missing columns and enum members are added. A table of another engine, key or column type is refused.
        """
        tables = [ddl.RUNS, ddl.INSTRUMENTS, *(ddl.table_of(s) for s in schemas)]
        names = {t.name for t in tables}
        statements = []
        existing = self._existing(names)
        for table in tables:
            found = existing.get(table.name)
            statements += [ddl.create(table)] if found is None else ddl.alter(table, found, self.address.label)
        for view, (needs, doc, query) in VIEWS.items():
            if needs <= names:
                statements.append(f"CREATE OR REPLACE VIEW {view} AS {query} COMMENT {ddl.literal(doc)}")
        with reported(self.address):
            for statement in statements:
                self._client.command(statement)

    def register_run(
        self, run: str, desks: Mapping[str, Desk], digest: str, config: str, *, version: str, state_version: int = 1
    ) -> None:
        """Record what the run is configured to do; for a run of the same digest this only adds new desks.

        `config` is stored as given: leave passwords out. Raises TargetError where the run exists with another digest.
        """
        with reported(self.address):
            known = self._client.query(
                "SELECT desk, digest, toString(created_at) FROM runs FINAL WHERE run = {run:String} ORDER BY desk",
                parameters={"run": run},
            ).result_rows
        for desk, stored, created_at in known:
            if stored != digest:
                raise TargetError(
                    f"run {run!r} at {self.address.label} was started on {created_at} with another configuration "
                    f"(desk {desk!r}: digest {stored}, now {digest}); choose another run name or restore "
                    f"the configuration (SELECT config FROM runs WHERE run = {ddl.literal(run)})"
                )
        new = [desk for desk in desks.values() if desk.id not in {row[0] for row in known}]
        self._insert_rows(ddl.INSTRUMENTS, [row for desk in new for row in _instrument_rows(run, desk)])
        self._insert_rows(ddl.RUNS, [(run, d.id, 1, 0, 0, digest, config, version, state_version) for d in new])

    def high_water(self, run: str, desk: str, tables: Sequence[str]) -> dict[str, int]:
        """The largest `seq` that each table holds for the run and desk, 0 where it holds none."""
        each = (
            f"SELECT '{name}', max(seq) FROM {name} WHERE run = {{run:String}} AND desk = {{desk:String}}"
            for name in tables
        )
        with reported(self.address):
            rows = self._client.query(" UNION ALL ".join(each), parameters={"run": run, "desk": desk}).result_rows
        return {name: int(high) for name, high in rows}

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        """Write `rows` whole. A second insert with the same `token` is ignored while the table remembers it."""
        with reported(self.address):
            self._client.insert_arrow(table, rows, settings=_WHOLE_INSERT | {"insert_deduplication_token": token})

    @property
    def _client(self) -> Client:
        return client(self.address)

    def _existing(self, names: Iterable[str]) -> dict[str, ddl.Existing]:
        chosen = {"names": sorted(names)}
        where = "WHERE database = currentDatabase() AND"
        with reported(self.address):
            tables = self._client.query(
                f"SELECT name, engine, sorting_key FROM system.tables {where} name IN {{names:Array(String)}}", chosen
            ).result_rows
            columns = self._client.query(
                f"SELECT table, name, type FROM system.columns {where} table IN {{names:Array(String)}}", chosen
            ).result_rows
        return {
            name: ddl.Existing(engine, key, {column: kind for table, column, kind in columns if table == name})
            for name, engine, key in tables
        }

    def _insert_rows(self, table: ddl.Table, rows: Sequence[Sequence[Any]]) -> None:
        filled = {name for name, _ in table.defaults}
        names = [name for name, _, _ in table.columns if name not in filled]
        if rows:
            with reported(self.address):
                self._client.insert(table.name, rows, column_names=names)


def _instrument_rows(run: str, desk: Desk) -> list[tuple[Any, ...]]:
    return [
        (run, desk.id, i, inst.id, inst.venue, inst.symbol, inst.currency, inst.tick, inst.lot, inst.multiplier)
        for i, inst in enumerate(desk.instruments, 1)
    ]
