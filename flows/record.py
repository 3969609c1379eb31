"""Recording venues for later, without trading: their instruments as they define them, and what their websockets say."""

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from flows.wording import hint, located
from flows.yaml_lines import Document
from operators.sources.rest import get
from operators.sources.websocket import websocket_line
from operators.sources.websocket_feed import WebsocketFeed
from operators.sources.websocket_venues import VENUES
from schemas.errors import CaptureError, ConfigError
from schemas.instrument import Instrument
from schemas.market import RawKind

_POLL_EVERY_S = 0.05


def instruments_of(name: str, symbols: Sequence[str], rest: str | None = None) -> list[Instrument]:
    """A venue's own definitions of `symbols`, by its REST interface; ids are SYMBOL@VENUE.

    Raises ConfigError for a venue or symbol that is not known, or cannot be traded here, and CaptureError where the
    venue does not answer.
    """
    if name not in VENUES:
        raise ConfigError(f"there is no venue {name!r}{hint(name, VENUES)}")
    venue = VENUES[name]()
    found: dict[str, Instrument] = {}
    left_out: dict[str, str] = {}
    for path in venue.definitions:
        listed = venue.defined(get((rest or venue.rest) + path))
        found |= {i.symbol: i for i in listed.instruments}
        left_out |= listed.left_out
        if found.keys() >= set(symbols):
            break
    for symbol in symbols:
        if symbol in left_out and symbol not in found:
            raise ConfigError(f"{name}: {symbol!r} is left out: {left_out[symbol]}")
        if symbol not in found:
            raise ConfigError(f"{name} lists no {symbol!r}{hint(symbol, found)}")
    named = {"venue": name}
    return [found[symbol].model_copy(update=named | {"id": f"{symbol}@{name}"}) for symbol in symbols]


def as_yaml(instruments: Iterable[Instrument]) -> str:
    """A list for a configuration, one instrument per line; or the file that `instruments:` names."""
    lines = (yaml.safe_dump(_terms(i), default_flow_style=True, sort_keys=False, width=10_000) for i in instruments)
    return "".join(f"- {line}" for line in lines)


def record(
    name: str, symbols: Sequence[str], out: Path, stop: threading.Event, seconds: float | None = None, **settings: Any
) -> Iterator[str]:
    """Record until `stop` is set, or for `seconds`. Yields what there is to say, in the end how to replay it.

    `out` gets a session per connection, and the instruments. `settings` are those of a feed of format `websocket`.
    Raises ConfigError and CaptureError, as `instruments_of` does, and where `out` cannot be written to (any more).
    """
    instruments = instruments_of(name, symbols, settings.get("rest"))
    feeds = list(_feeds(name, instruments, settings))
    with ExitStack() as open_lines:
        lines = [websocket_line(feed, instruments, folder=out) for feed in feeds]
        for line in lines:
            open_lines.callback(line.close)
        (out / f"{name}.yaml").write_text(as_yaml(instruments), encoding="utf-8")
        counts = [0] * len(lines)
        losses = [0] * len(lines)
        until_s = None if seconds is None else time.monotonic() + seconds
        while not stop.wait(_POLL_EVERY_S) and (until_s is None or time.monotonic() < until_s):
            for i, line in enumerate(lines):
                entries = line.poll()
                counts[i] += sum(entry.kind is RawKind.MESSAGE for entry in entries)
                losses[i] += sum(entry.kind is RawKind.DISCONNECT for entry in entries)
                if not line.is_recording:
                    raise CaptureError(f"{line.recording}: cannot be written to any more; make room, and record again")
    for line, count, lost in zip(lines, counts, losses, strict=True):
        yield f"{line.recording}: {count:,} messages, {lost} times reconnected"
    yield f"\ninstruments: {name}.yaml\nfeeds:"
    for feed, line in zip(feeds, lines, strict=True):
        assert line.recording is not None
        listed = ", ".join(feed.instruments)
        path = line.recording.name
        yield f"  - {{id: {feed.id}, format: session, path: {path}, connection: {feed.id}, instruments: [{listed}]}}"


def _feeds(name: str, instruments: Sequence[Instrument], settings: dict[str, Any]) -> Iterator[WebsocketFeed]:
    """One for all instruments, or one for each, as the venue's decoder has it."""
    groups = [[i] for i in instruments] if VENUES[name].is_single else [list(instruments)]
    for group in groups:
        own = f"{name}-{group[0].symbol.lower()}" if VENUES[name].is_single else name
        chosen = {
            "id": own,
            "format": "websocket",
            "venue": name,
            "instruments": [i.id for i in group],
            "record": f"{own}.jsonl.zst",
            **{key: value for key, value in settings.items() if value is not None},
        }
        try:
            yield WebsocketFeed.model_validate(chosen)
        except ValidationError as e:
            raise located(e, WebsocketFeed, Document(chosen)) from None


def _terms(instrument: Instrument) -> dict[str, Any]:
    """What is written of an instrument: decimals as they are, and no multiplier of 1."""
    terms = instrument.model_dump(exclude_defaults=True)
    return {key: _Digits(f"{value:f}") if isinstance(value, Decimal) else value for key, value in terms.items()}


class _Digits(str):
    """A number, to be written with just these digits."""


def _as_number(dumper: yaml.SafeDumper, digits: _Digits) -> yaml.Node:
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in digits else 'int'}", str(digits))


yaml.SafeDumper.add_representer(_Digits, _as_number)
