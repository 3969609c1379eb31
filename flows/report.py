"""What the command line shows: graphs, operators, verdicts."""

import inspect
import sys
from collections.abc import Iterable, Mapping

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.config import Config, missing_feed, missing_journal
from flows.contract.verdict import Verdict
from flows.graph import Graph, Node
from flows.json_schema import summary
from flows.parameter_docs import describe, duration_text
from operators.operator import Component
from operators.sources.journal_segment import segments_of
from schemas.record import Schema

_PIPE_WIDTH = 160


def console() -> Console:
    """Standard output; wide where it is not a terminal, so that nothing is folded in a file."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)


def show_graph(path: str, config: Config, graph: Graph) -> None:
    """The checked graph, what is written, and what deserves a second look."""
    out = console()
    feeds = sum(len(desk.feeds) for desk in config.desks)
    pairs = sum(len(config.desk(desk.id).pairs) for desk in config.desks)
    counts = (_count(len(config.desks), "desk"), _count(feeds, "feed"), _count(len(config.instruments), "instrument"))
    out.print(f"[bold]{escape(path)}[/bold]: run {config.run}, {', '.join(counts)}, {_count(pairs, 'pair')}")
    table = _table("operator", "type", "reads", "emits")
    for node in graph.nodes:
        table.add_row(node.id, escape(node.type), _reads(node), ", ".join(node.component.outputs))
    out.print(table)
    written = [
        name if rule.every_ns is None else f"{name} (every {duration_text(rule.every_ns)})"
        for name, rule in graph.tables.items()
    ]
    out.print(f"writes {', '.join(written) or 'nothing'}")
    for warning in (*graph.warnings, *_missing_feeds(config)):
        out.print(f"[yellow]warning:[/yellow] {escape(warning)}", soft_wrap=True)


def show_operators(known: Mapping[str, type[Component]]) -> None:
    """Every operator with the first line of its documentation."""
    table = _table("operator", "takes", "emits", "what it does")
    for name, cls in known.items():
        table.add_row(name, ", ".join(cls.inputs), ", ".join(cls.outputs), escape(summary(cls)))
    out = console()
    out.print(table)
    out.print("`pairflow operators NAME` shows one with its parameters.")


def show_operator(name: str, cls: type[Component]) -> None:
    """One operator: its documentation, ports and parameters."""
    out = console()
    out.print(f"[bold]{escape(name)}[/bold]  ({cls.__module__}:{cls.__qualname__}, state version {cls.version})\n")
    out.print(escape(inspect.getdoc(cls) or ""))
    ports = _table("", "port", "rows", "meaning")
    _add_ports(ports, "in", cls.inputs, cls.optional)
    _add_ports(ports, "out", cls.outputs, frozenset())
    out.print(ports)
    parameters = describe(cls.Parameters)
    if not parameters:
        out.print("It has no parameters.")
        return
    table = _table("parameter", "type", "default", "meaning")
    for p in parameters:
        table.add_row(p.name, escape(p.type), escape(p.default), escape(p.description))
    out.print(table)


def show_verdicts(name: str, verdicts: Iterable[Verdict]) -> None:
    """What the contract suite found, property by property."""
    out = console()
    out.print(f"[bold]{escape(name)}[/bold]")
    for verdict in verdicts:
        mark = "[green]passed[/green]" if verdict.passed else "[red]broken[/red]"
        out.print(f"  {mark}  {escape(verdict.name)}")
        if verdict.message:
            out.print(f"          {escape(verdict.message)}", soft_wrap=True)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _add_ports(table: Table, direction: str, ports: Mapping[str, Schema], optional: frozenset[str]) -> None:
    for port, schema in ports.items():
        rows = f"{schema.name} (optional)" if port in optional else schema.name
        table.add_row(direction, port, rows, escape(schema.doc))


def _reads(node: Node) -> str:
    return ", ".join(f"{port} ← {' + '.join('.'.join(r) for r in refs)}" for port, refs in node.inputs.items())


def _missing_feeds(config: Config) -> list[str]:
    missing = []
    for desk in config.desks:
        if desk.journal is None:
            paths = [(feed.id, config.feed_path(feed)) for feed in desk.captures]
            missing += [
                f"desk {desk.id}, feed {feed}: {missing_feed(path)}" for feed, path in paths if not path.exists()
            ]
        elif not desk.is_live and not segments_of(config.journal_path(desk)):
            missing.append(f"desk {desk.id}: {missing_journal(config.journal_path(desk))}")
    return missing


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
