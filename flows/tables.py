"""Which streams of a graph are written, and which outputs nobody uses."""

from collections.abc import Callable, Iterable, Mapping

from flows.numbering import TableRule
from flows.settings import TableSetting, usual_setting
from flows.streams import Ref
from flows.wording import hint
from schemas.errors import ConfigError
from schemas.record import Kind, Schema
from schemas.tables import STREAMS, TABLES

_SAMPLED_BY = (Kind.INSTRUMENT, Kind.PAIR, Kind.FEED)


def written_tables(
    outputs: Iterable[tuple[str, Mapping[str, Schema]]],
    consumed: set[Ref],
    settings: Mapping[str, TableSetting],
    fail: Callable[..., ConfigError],
) -> tuple[dict[str, TableRule], list[str]]:
    """The rules of all written streams, and a warning for every output that is neither read nor written.

    `outputs` are the operators with their output ports, in order. Raises ConfigError for a setting that names
    no stream of the graph, samples a stream that has no key, and for two streams of one name.
    """
    ports: dict[str, list[tuple[Ref, Schema]]] = {}
    for name, by_port in outputs:
        for port, schema in by_port.items():
            ports.setdefault(schema.name, []).append(((name, port), schema))
    for stream in settings:
        _check_known(stream, ports, fail)
    rules: dict[str, TableRule] = {}
    warnings = []
    for stream, writers in ports.items():
        chosen = settings.get(stream, usual_setting(stream))
        if chosen.written and (stream in TABLES or stream in settings):
            _check_one_schema(stream, writers, fail)
            schema = writers[0][1]
            _check_sampled(schema, chosen, fail)
            rules[stream] = TableRule(schema, tuple(ref for ref, _ in writers), chosen.every_ns)
        elif stream not in settings:
            unread = [ref for ref, _ in writers if ref not in consumed]
            warnings += [_unused(ref, stream) for ref in unread]
    return rules, warnings


def _check_known(stream: str, ports: Mapping[str, object], fail: Callable[..., ConfigError]) -> None:
    if stream in STREAMS and stream not in TABLES:
        raise fail(("tables", stream), f"{stream} is too dense to be a table; tables: {', '.join(TABLES)}", key=True)
    if stream not in ports and stream not in TABLES:
        known = sorted({*ports, *TABLES} - (STREAMS.keys() - TABLES.keys()))
        raise fail(("tables", stream), f"no operator of this graph emits {stream!r}{hint(stream, known)}", key=True)


def _check_one_schema(stream: str, writers: list[tuple[Ref, Schema]], fail: Callable[..., ConfigError]) -> None:
    """All writers of a table must agree, with each other and with the table of this name that pairflow declares."""
    expected = TABLES.get(stream, writers[0][1])
    for ref, schema in writers:
        if schema.columns != expected.columns:
            other = "pairflow's own" if stream in TABLES else f"that of {'.'.join(writers[0][0])}"
            message = f"{'.'.join(ref)} emits a schema called {stream!r} that is not {other}; give it another name"
            raise fail(("tables", stream), message)


def _check_sampled(schema: Schema, setting: TableSetting, fail: Callable[..., ConfigError]) -> None:
    if setting.every_ns is None:
        return
    kind = next((column.kind for column in schema.columns if column.name == schema.by), None)
    if kind not in _SAMPLED_BY:
        message = (
            f"{schema.name} cannot be sampled, for its rows have no instrument, pair or feed as key; write on or off"
        )
        raise fail(("tables", schema.name), message)


def _unused(ref: Ref, stream: str) -> str:
    can_be_written = stream in TABLES or stream not in STREAMS
    remedy = f"; to write it: tables: {{{stream}: on}}" if can_be_written else ""
    return f"{'.'.join(ref)} is neither read by an operator nor written{remedy}"
