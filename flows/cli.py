"""The command line. Whatever goes wrong on purpose is one line on standard error and exit code 2."""

# ruff: noqa: PLC0415  (numba, pydantic models and ClickHouse take longer to load than `--help` may)

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from schemas.errors import PairflowError

_WRONG = 2
"""Exit code of bad use and of everything that pairflow raises on purpose."""

_DEMO_CONFIG = Path("config/demo.yaml")
_PIPE_WIDTH = 200
"""Columns for a table that is not shown on a terminal."""

app = typer.Typer(
    name="pairflow",
    help="Complex-event processing for statistical arbitrage.",
    epilog="A flow itself is run by bytewax: python -m bytewax.run \"flows.trade:build('CONFIG')\" -r RECOVERY_DIR",
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(args=arguments or ["--help"], prog_name="pairflow", standalone_mode=False)
        sys.stdout.flush()
    except (PairflowError, typer.TyperException) as e:
        print(f"pairflow: {' '.join(_message(e).split())}", file=sys.stderr)
        return _WRONG
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to write to, at exit either
        return 1
    return int(code or 0)


def _message(error: Exception) -> str:
    if not isinstance(error, typer.TyperException):
        return str(error)
    context = getattr(error, "ctx", None)
    return f"{error.format_message().rstrip('.')}; see `{context.command_path if context else 'pairflow'} --help`"


@app.command()
def check(
    config: Annotated[Path | None, typer.Argument(help="A configuration file.", show_default=False)] = None,
    operator: Annotated[
        str | None, typer.Option(help="An operator, by name or as module:Class, to put through the contract suite.")
    ] = None,
) -> None:
    """Check a configuration whole and show its graph, or put an operator through the contract suite."""
    if (config is None) == (operator is None):
        raise typer.BadParameter("give either a configuration file or --operator")
    _see_working_directory()
    if config is not None:
        _check_config(config)
    elif operator is not None:
        _check_operator(operator)


def _check_config(path: Path) -> None:
    from flows.config import load
    from flows.graph import build_graph
    from flows.report import show_graph
    from flows.table_files import check_files

    config = load(path)
    check_files(config)
    show_graph(str(path), config, build_graph(config))


def _check_operator(name: str) -> None:
    from flows.contract import check_operator
    from flows.report import show_verdicts
    from operators.operator import Operator
    from operators.registry import find
    from schemas.errors import ConfigError

    cls = find(name)
    if not issubclass(cls, Operator):
        raise ConfigError(f"{name!r} is a stage of the closed loop, which is checked as a whole, not an operator")
    verdicts = check_operator(cls, in_other_process=True)
    show_verdicts(name, verdicts)
    if not all(verdict.passed for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def operators(
    name: Annotated[str | None, typer.Argument(help="One operator, by name or as module:Class.")] = None,
) -> None:
    """List the operators, or show one with its ports and parameters."""
    from flows.report import show_operator, show_operators
    from operators.registry import built_in, find

    _see_working_directory()
    if name is None:
        show_operators(built_in())
    else:
        show_operator(name, find(name))


@app.command()
def schema(
    output: Annotated[Path | None, typer.Option(help="Write to this file.", show_default="standard output")] = None,
) -> None:
    """Print the JSON Schema of the configuration, for editors."""
    import json

    from flows.json_schema import config_schema

    text = json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as e:
        raise typer.BadParameter(f"cannot write {output}: {e.strerror}") from e


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="Folder for the session; it appears whole or not at all.")] = Path(
        ".pairflow/demo"
    ),
    symbols: Annotated[int | None, typer.Option(help="Instruments.")] = None,
    groups: Annotated[int | None, typer.Option(help="Groups of instruments that share a random walk.")] = None,
    pairs: Annotated[int | None, typer.Option(help="Cointegrated pairs.")] = None,
    controls: Annotated[int | None, typer.Option(help="Pairs that are not cointegrated.")] = None,
    messages: Annotated[int | None, typer.Option(help="Messages in the session.")] = None,
    hours: Annotated[float | None, typer.Option(help="Length of the session.")] = None,
    telling: Annotated[float | None, typer.Option(help="How far books lean to where prices go, 0 to 1.")] = None,
    seed: Annotated[int | None, typer.Option(help="The session is a function of this and the rest.")] = None,
) -> None:
    """Write a simulated exchange session: ITCH 5.0 messages, instruments, pairs, and what is true of them."""
    from pydantic import ValidationError

    from flows.wording import located
    from flows.yaml_lines import Document
    from operators.simulator.files import write_session
    from operators.simulator.parameters import SessionParameters

    options = {
        "symbols": symbols,
        "groups": groups,
        "pairs": pairs,
        "controls": controls,
        "messages": messages,
        "hours": hours,
        "telling": telling,
        "seed": seed,
    }
    chosen = {name: value for name, value in options.items() if value is not None}
    try:
        parameters = SessionParameters.model_validate(chosen)
    except ValidationError as e:
        raise located(e, SessionParameters, Document(chosen)) from None
    print(write_session(parameters, out))


@app.command()
def instruments(
    venue: Annotated[str, typer.Argument(help="A venue, such as kraken or binance_usdm.")],
    symbols: Annotated[list[str], typer.Argument(help="Symbols, as the venue writes them.")],
    rest: Annotated[str | None, typer.Option(help="Address of the venue's REST interface.", show_default=False)] = None,
) -> None:
    """Print instruments as a venue defines them, for the `instruments` of a configuration."""
    from flows.record import as_yaml, instruments_of

    sys.stdout.write(as_yaml(instruments_of(venue, symbols, rest)))


@app.command()
def record(
    venue: Annotated[str, typer.Argument(help="A venue, such as kraken or binance_usdm.")],
    symbols: Annotated[list[str], typer.Argument(help="Symbols, as the venue writes them.")],
    out: Annotated[Path, typer.Option(help="Folder for the recordings; earlier ones stay.")] = Path("recordings"),
    channels: Annotated[str, typer.Option(help="What to subscribe to: book, trades, ticker.")] = "book,trades",
    depth: Annotated[int | None, typer.Option(help="Levels a side of books, where the venue has a choice.")] = None,
    duration: Annotated[str | None, typer.Option("--for", help="Stop after so long, such as 10m.")] = None,
    url: Annotated[str | None, typer.Option(help="Address of the websocket.", show_default="the venue's")] = None,
    rest: Annotated[str | None, typer.Option(help="Address of the REST interface.", show_default="the venue's")] = None,
) -> None:
    """Record what a venue's websocket says, with receive times, until Ctrl-C: input of later backtests."""
    from flows.logs import configure_logs
    from flows.record import record as recorded
    from flows.stopping import stop_on_signals
    from schemas.parameter_types import duration_ns

    try:
        seconds = None if duration is None else duration_ns(duration) / 1e9
    except ValueError as e:
        raise typer.BadParameter(str(e)) from e
    configure_logs()
    chosen = {"channels": channels.split(","), "depth": depth, "url": url, "rest": rest}
    for line in recorded(venue, symbols, out, stop_on_signals(), seconds, **chosen):
        print(line)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One statement that reads.")],
    config: Annotated[Path, typer.Option(help="The configuration whose target is asked.")] = _DEMO_CONFIG,
    form: Annotated[Literal["table", "csv", "json"], typer.Option("--format", help="How to show it.")] = "table",
) -> None:
    """Read the tables a run has written."""
    from flows.config import load
    from operators.sinks.query import query as ask

    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    for piece in ask(load(config).target, sql, form, width=width):
        sys.stdout.write(piece)


models = typer.Typer(help="Files of models: learned in one run, used in another.")
app.add_typer(models, name="model")


@models.command("export")
def export_model(
    out: Annotated[Path, typer.Option(help="The file to write.")],
    config: Annotated[Path, typer.Option(help="The configuration of the run that has learned.")] = _DEMO_CONFIG,
    desk: Annotated[str | None, typer.Option(help="The desk.", show_default="the only one")] = None,
    fingerprint: Annotated[int | None, typer.Option(help="The live model's, where several operators learn.")] = None,
) -> None:
    """Write the newest models of a run into a file, for `start` of another run's model operator."""
    from flows.config import load
    from flows.models import newest_models
    from operators.sources.model_file import write_model_file

    found = newest_models(load(config), desk, fingerprint)
    write_model_file(out, found.data)
    print(f"{out}: models of desk {found.desk} after {found.examples:,} examples")
    print(f"start: {{path: {out}, digest: {found.digest}}}")


@models.command("show")
def show_model(file: Annotated[Path, typer.Argument(help="A file of models.")]) -> None:
    """Print what a file of models says of itself; nothing in it is run."""
    import json

    from operators.learn.inventory import header_in
    from operators.sources.model_file import read_model_file

    print(json.dumps(header_in(read_model_file(file), str(file)), indent=2))


def _see_working_directory() -> None:
    """Let module:Class name a module in the working directory, as the bytewax runner does."""
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
