"""Broken configurations: each is refused with the place, what was found, and what would be right."""

from pathlib import Path

import pytest

from flows.graph import build_graph
from schemas.errors import ConfigError
from tests.flows.configs import changed, fakes, loaded

__all__ = ["fakes"]

_FEED = "      - {id: tape, format: recording, path: tape.gz}\n"
_SPREAD = "  - {id: spread, type: spread, input: book, window: 20, every: 250ms}\n"
_BANDS = "  - {id: bands, type: bands, input: spread, entry: 2.0}\n"
_SECOND_DESK = "  - {id: other, capital: 1, feeds: [{id: f, format: recording, path: f}]}\n"


def add(operator: str) -> tuple[str, str]:
    return _BANDS, f"{_BANDS}  - {operator}\n"


def table(columns: str) -> str:
    """A feed of a table of quotes with these columns."""
    return f"""\
      - id: tape
        format: table
        path: tape.csv
        table:
          rows: quotes
          assumed_qty: 1
          columns:
            time: {{column: t, unit: ms}}
            {columns.replace(", ", chr(10) + "            ")}
        instruments: [A]
"""


BROKEN = {
    # the file as YAML
    "unclosed": ("runtime: {frame: 512}\n", "runtime: {frame: 512\n", "24:1: this is not YAML: expected ',' or '}'"),
    "tab": ("data: captures", "\tdata: captures", "3:1: this is not YAML: found character '\\t'"),
    "duplicate key": ("data: captures", "run: twice", "3:1: run: this key is written twice, first on line 1; keep one"),
    "unknown alias": ("data: captures", "data: *folder", "3:7: this is not YAML: found undefined alias 'folder'"),
    "variable not set": (
        "data: captures",
        "data: ${PAIRFLOW_NOWHERE}",
        "3:7: data: the environment variable PAIRFLOW_NOWHERE is not set; set it, or write a default: "
        "${PAIRFLOW_NOWHERE:-value}",
    ),
    # the top
    "misspelt key": ("target: chdb", "traget: chdb", "2:1: traget: unknown key 'traget'; did you mean 'target'?"),
    "unknown key": ("run: demo", "run: demo\nzzz: 1", "2:1: zzz: unknown key 'zzz'; known: run, target, data,"),
    "missing key": ("run: demo\n", "", "1:1: run: this key is missing; add it (name of the run"),
    "run's name": ("run: demo", "run: a b", "1:6: run: 'a b' is not a name; use letters, digits, '-', '_' and '.'"),
    "run is a number": ("run: demo", "run: 7", "1:6: run: should be text, found 7; put it in quotes: '7'"),
    "target's scheme": (
        "chdb://clickhouse",
        "mysql://x",
        "2:9: target: the ClickHouse target is not an address; write",
    ),
    "target's folder": ("chdb://clickhouse", "chdb://", "2:9: target: the embedded ClickHouse needs"),
    "no desks": ("operators:", "desks: []\noperators:", "desks: this key is written twice"),
    "tables as list": ("tables:\n", "tables: []\nx:\n", "21:1: x: unknown key 'x'"),
    # instruments and pairs
    "no such list": (
        "    pairs:\n      - {id: AB, y: A, x: B}\n",
        "    pairs: pairs.yaml\n",
        "13:12: desks[0].pairs: there is no file",
    ),
    "every pair, and some": (
        "    pairs:\n",
        "    every_pair: true\n    pairs:\n",
        "9:5: desks[0]: `every_pair: true` declares all pairs there are; drop `pairs`, or every_pair",
    ),
    "tick": ("AA, tick: 0.01", "AA, tick: 0", "5:41: instruments[0].tick: should be greater than 0, found 0"),
    "tick is text": ("AA, tick: 0.01", "AA, tick: small", "5:41: instruments[0].tick: should be a valid decimal"),
    "missing currency": (
        "CC, tick: 0.01, lot: 1, currency: USD",
        "CC, tick: 0.01, lot: 1",
        "7:5: instruments[2].currency: this key is missing; add it (currency of the price)",
    ),
    "symbol is a number": (
        "symbol: BB",
        "symbol: 600519",
        "6:31: instruments[1].symbol: should be text, found 600519; put it in quotes: '600519'",
    ),
    "money is not exact": (
        "AA, tick: 0.01",
        "AA, tick: 0.000000001",
        "5:5: instruments[0]: one tick of one lot is worth",
    ),
    "instrument twice": (
        "{id: C, venue",
        "{id: A, venue",
        "7:10: instruments[2].id: two instruments are called 'A' (number 1 and 3); rename one",
    ),
    "unknown leg": (
        "y: A, x: B",
        "y: A, x: D",
        "14:27: desks[0].pairs[0].x: there is no instrument 'D'; known: A, B, C",
    ),
    "one leg": ("y: A, x: B", "y: A, x: A", "14:9: desks[0].pairs[0]: pair 'AB' has 'A' on both legs"),
    "pair twice": (
        "      - {id: AB, y: A, x: B}\n",
        "      - {id: AB, y: A, x: B}\n      - {id: AB, y: A, x: C}\n",
        "15:14: desks[0].pairs[1].id: two pairs are called 'AB' (number 1 and 2); rename one",
    ),
    "two currencies": (
        "CC, tick: 0.01, lot: 1, currency: USD",
        "CC, tick: 0.01, lot: 1, currency: EUR",
        "9:5: desks[0]: desk 'main' has instruments in two currencies: 'A' in USD, 'C' in EUR; make a desk for each",
    ),
    "leg outside the desk": (
        "path: tape.gz}",
        "path: tape.gz, instruments: [A, C]}",
        "14:27: desks[0].pairs[0].x: instrument 'B' is in no feed of desk 'main'; add it to a feed's `instruments`",
    ),
    # desks and feeds
    "capital": ("capital: 1_000_000", "capital: -5", "10:14: desks[0].capital: should be greater than 0, found -5"),
    "capital in words": (
        "capital: 1_000_000",
        "capital: a lot",
        "10:14: desks[0].capital: 'a lot' is not an amount of money",
    ),
    "desk twice": (
        "operators:\n",
        _SECOND_DESK.replace("other", "main") + "operators:\n",
        "15:10: desks[1].id: two desks are called 'main' (number 1 and 2); rename one",
    ),
    "no feeds": (f"feeds:\n{_FEED}", "feeds: []\n", "11:12: desks[0].feeds: should have at least 1 of them, found 0"),
    "feeds as mapping": (
        f"feeds:\n{_FEED}",
        "feeds: {a: 1}\n",
        "11:12: desks[0].feeds: should be a list, found {'a': 1}",
    ),
    "feed twice": (
        _FEED,
        _FEED + _FEED,
        "13:14: desks[0].feeds[1].id: two feeds are called 'tape' (number 1 and 2); rename one",
    ),
    "feed's format": (
        "format: recording",
        "format: recorded",
        "12:28: desks[0].feeds[0].format: should be 'itch50', 'recording', 'session', 'mold_pcap', 'lean', 'lobster', "
        "'table', 'fix_log', 'journal', 'moldudp64', 'soupbintcp', 'websocket' or 'fix_session', found 'recorded'; "
        "did you mean 'recording'?",
    ),
    "feed's instruments": (
        "path: tape.gz}",
        "path: tape.gz, instruments: [A, BB]}",
        "12:71: desks[0].feeds[0].instruments[1]: there is no instrument 'BB'; did you mean 'B'?",
    ),
    "feed without a format": (
        "format: recording, ",
        "",
        "12:9: desks[0].feeds[0].format: this key is missing; add it ('itch50', 'recording', 'session', ",
    ),
    "feed's format is a number": (
        "format: recording",
        "format: 5",
        "'soupbintcp', 'websocket' or 'fix_session', found 5",
    ),
    "feed that is text": (_FEED, "      - tape.gz\n", "12:9: desks[0].feeds[0]: should be keys with values, found"),
    "capture without a file": (
        ", path: tape.gz",
        "",
        "12:9: desks[0].feeds[0].path: this key is missing; add it (the file, relative to the data folder",
    ),
    "misspelt key of a feed": (
        "path: tape.gz",
        "pth: tape.gz",
        "12:39: desks[0].feeds[0].pth: unknown key 'pth'; did you mean 'path'?",
    ),
    "key of another format": (
        "path: tape.gz",
        "path: tape.gz, port: 26477",
        "12:54: desks[0].feeds[0].port: 'port' is of format mold_pcap, not of recording; remove it, or correct the",
    ),
    "key of other formats": (
        "path: tape.gz",
        "path: tape.gz, server: '127.0.0.1:1'",
        "12:54: desks[0].feeds[0].server: 'server' is of format moldudp64 and soupbintcp, not of recording; remove it",
    ),
    "key that is called as the feed's format": (
        "format: recording",
        "format: session, connection: '', session: S",
        "12:53: desks[0].feeds[0].session: 'session' is of format moldudp64 and soupbintcp, not of session; remove it",
    ),
    "value beside a key that is called as the feed's format": (
        _FEED,
        table("bid: b, ask: a").replace("instruments: [A]", "date: never"),
        "22:15: desks[0].feeds[0].date: should be a valid date",
    ),
    "key beside one that is called as the feed's format": (
        _FEED,
        table("bid: b, ask: a").replace("instruments: [A]", "instrumnts: [A]"),
        "22:9: desks[0].feeds[0].instrumnts: unknown key 'instrumnts'; did you mean 'instruments'?",
    ),
    # what the columns of a file mean
    "misspelt column": (
        _FEED,
        table("bidd: b, ask: a"),
        "20:13: desks[0].feeds[0].table.columns.bidd: unknown key 'bidd'; did you mean 'bid'?",
    ),
    "column of another kind of row": (
        _FEED,
        table("price: p"),
        "19:13: desks[0].feeds[0].table.columns: rows of quotes have no 'price'; they take symbol, bid, ",
    ),
    "time without unit": (
        _FEED,
        table("bid: b, ask: a").replace("unit: ms", "since: midnight"),
        "19:19: desks[0].feeds[0].table.columns.time: a time is a number or text: write either `unit: ms`",
    ),
    "format of time": (
        _FEED,
        table("bid: b, ask: a").replace("unit: ms", "format: '%Q %T'"),
        "19:39: desks[0].feeds[0].table.columns.time.format: '%Q %T' has %Q; of formats of time are known",
    ),
    "price scale": (
        _FEED,
        table("bid: b, ask: a").replace("rows: quotes", "price_scale: -1\n          rows: quotes"),
        "16:24: desks[0].feeds[0].table.price_scale: should be greater than 0, found -1",
    ),
    "no timezone": (
        _FEED,
        table("bid: b, ask: a").replace("unit: ms", "format: '%F %T'"),
        "12:9: desks[0].feeds[0]: feed 'tape' has no timezone, but its times are those of a clock somewhere; add it",
    ),
    "ticks of another format": (
        "format: recording",
        "format: lean, instruments: [A], date: 2013-10-07, timezone: UTC, ticks: equity",
        "12:92: desks[0].feeds[0].ticks: should be 'equity_quote', 'equity_trade', ",
    ),
    # operators
    "unknown type": (
        "type: decoder",
        "type: decode",
        "16:24: operators[0].type: unknown operator type 'decode'; did you mean 'decoder'?, or write a path like",
    ),
    "unknown module": (
        "type: decoder",
        "type: 'nowhere.at_all:Decoder'",
        "16:24: operators[0].type: operator type 'nowhere.at_all:Decoder': cannot import 'nowhere.at_all'",
    ),
    "unknown class": (
        "type: decoder",
        "type: 'tests.flows.fakes:Decodr'",
        "16:24: operators[0].type: operator type 'tests.flows.fakes:Decodr': module 'tests.flows.fakes' has no",
    ),
    "not an operator": (
        "type: decoder",
        "type: 'tests.flows.fakes:ALARMS'",
        "not a subclass of operators.operator.Operator",
    ),
    "missing type": (
        "type: decoder, ",
        "",
        "16:5: operators[0].type: this key is missing; add it (a built-in operator",
    ),
    "id with a dot": ("{id: decode,", "{id: de.code,", "16:10: operators[0].id: 'de.code' is not a name; use letters"),
    "reserved id": (
        "{id: decode,",
        "{id: feeds,",
        "16:10: operators[0].id: the id 'feeds' is taken by pairflow itself",
    ),
    "operator twice": (
        *add("{id: book, type: book, input: decode}"),
        "20:10: operators[4].id: two operators are called 'book' (number 2 and 5); rename one",
    ),
    "unknown parameter": (
        "window: 20",
        "windw: 20",
        "18:45: operators[2].windw: unknown key 'windw'; did you mean 'window'?",
    ),
    "impossible parameter": (
        "window: 20",
        "window: 1",
        "18:53: operators[2].window: should be greater than 1, found 1",
    ),
    "infinite parameter": (
        "entry: 2.0",
        "entry: 1e999",
        "19:52: operators[3].entry: should be a finite number, found inf",
    ),
    "missing parameter": (
        ", entry: 2.0",
        "",
        "19:5: operators[3].entry: this key is missing; add it (enter at this z-score)",
    ),
    "duration without unit": (
        "every: 250ms",
        "every: '250'",
        "18:64: operators[2].every: '250' is not a duration; write a number and a unit, such as 250ms, 1s or 5m",
    ),
    "parameters do not fit the desk": (
        "    pairs:\n      - {id: AB, y: A, x: B}\n",
        "",
        "17:5: operators[3]: operator 'bands' does not fit desk 'main': desk 'main' has no pairs",
    ),
    "parameters do not fit one desk": (
        "operators:\n",
        _SECOND_DESK + "operators:\n",
        "20:5: operators[3]: operator 'bands' does not fit desk 'other': desk 'other' has no pairs",
    ),
    "a constructor fails": (
        *add("{id: x, type: fragile, input: book}"),
        "20:5: operators[4]: operator 'x' cannot be built for desk 'main': ZeroDivisionError: division by zero",
    ),
    # the graph
    "unknown input": (
        "input: decode",
        "input: decod",
        "17:35: operators[1].input: there is no operator 'decod'; did you mean 'decode'?",
    ),
    "missing input": (
        "type: book, input: decode",
        "type: book",
        "17:5: operators[1].input: nothing feeds input port 'events', which takes events; read it from decode.events",
    ),
    "no source of a schema": (
        _SPREAD,
        "  - {id: spread, type: notes, input: book}\n",
        "19:37: operators[3].input: 'spread' is of no use here: it emits notes, the operator takes spreads, levels",
    ),
    "nobody emits a schema": (
        f"{_SPREAD}{_BANDS}",
        "  - {id: bands, type: bands, entry: 1}\n",
        "18:5: operators[2].input: nothing feeds input port 'spreads', which takes spreads; add an operator that emits "
        "spreads",
    ),
    "useless input": (
        "input: spread",
        "input: [spread, decode]",
        "19:46: operators[3].input[1]: 'decode' is of no use here: it emits events, dead_letters, the operator takes "
        "spreads, levels",
    ),
    "input twice": ("input: spread", "input: [spread, spread]", "spread, spread: the same input is listed twice"),
    "input is a number": (
        "input: spread",
        "input: 5",
        "19:37: operators[3].input: 5 names no input; write an operator's",
    ),
    "two ports fit": (
        *add("{id: x, type: compare, input: spread}"),
        "20:35: operators[4].input: 'spread' fits the input ports fast and slow; say which: input: {fast: …, slow: …}",
    ),
    "unknown input port": (
        *add("{id: x, type: compare, input: {fast: spread, slo: spread}}"),
        "20:50: operators[4].input.slo: there is no input port 'slo'; did you mean 'slow'?",
    ),
    "half-connected": (
        *add("{id: x, type: compare, input: {fast: spread}}"),
        "20:35: operators[4].input: nothing feeds input port 'slow', which takes spreads; read it from spread.spreads",
    ),
    "wrong schema for a port": (
        *add("{id: x, type: compare, input: {fast: spread, slow: book}}"),
        "20:56: operators[4].input.slow: input port 'slow' takes spreads; 'book' emits quotes, levels",
    ),
    "two outputs fit": (
        *add("{id: s, type: split, input: book}\n  - {id: n, type: notes, input: s}"),
        "21:33: operators[5].input: 's' emits quotes on two ports; say which: s.near or s.far",
    ),
    "unknown output port": (
        *add("{id: n, type: notes, input: book.quots}"),
        "20:33: operators[4].input: operator 'book' has no output port 'quots'; did you mean 'quotes'?",
    ),
    "a schema of the same name": (
        *add("{id: i, type: impostor, input: book}\n  - {id: n, type: notes, input: i}"),
        "21:33: operators[5].input: i.quotes emits another 'quotes' than is taken here: columns cause, ts, bid, not",
    ),
    "circle": (
        *add("{id: a, type: smooth, input: b}\n  - {id: b, type: smooth, input: a}"),
        "20:34: operators[4].input: these operators read each other in a circle: a → b → a; cut it at one `input`",
    ),
    "circle of one": (*add("{id: a, type: smooth, input: a}"), "read each other in a circle: a → a; cut it"),
    # tables and runtime
    "unknown table": (
        "  spreads: on",
        "  spread: on",
        "22:3: tables.spread: no operator of this graph emits 'spread'; did you mean 'spreads'?",
    ),
    "too dense": (
        "  spreads: on",
        "  events: on",
        "22:3: tables.events: events is too dense to be a table; tables: quotes",
    ),
    "table's setting": (
        "quotes: {every: 1s}",
        "quotes: sometimes",
        "21:11: tables.quotes: 'sometimes' is not a table's setting; write off, on, or {every: 1s}",
    ),
    "table's interval": (
        "quotes: {every: 1s}",
        "quotes: {every: soon}",
        "21:11: tables.quotes: 'soon' is not a duration; write a number and a unit",
    ),
    "sampling without a key": (
        "  spreads: on",
        "  signals: {every: 1s}",
        "22:12: tables.signals: signals cannot be sampled, for its rows have no instrument, pair or feed as key",
    ),
    "another schema's table": (
        *add("{id: i, type: impostor, input: book}"),
        "22:11: tables.quotes: i.quotes emits a schema called 'quotes' that is not pairflow's own",
    ),
    "frame": ("frame: 512", "frame: 0", "23:18: runtime.frame: should be greater than or equal to 1, found 0"),
    "runtime key": ("frame: 512", "frmae: 512", "23:11: runtime.frmae: unknown key 'frmae'; did you mean 'frame'?"),
    "fuse": ("frame: 512", "fuse: maybe", "23:17: runtime.fuse: should be a valid boolean"),
}


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize(("old", "new", "expected"), BROKEN.values(), ids=BROKEN)
def test_is_refused_with_place_and_remedy(tmp_path: Path, old: str, new: str, expected: str) -> None:
    with pytest.raises(ConfigError) as error:
        build_graph(loaded(tmp_path, changed(old, new)))
    message = str(error.value)
    assert message.startswith(f"{tmp_path / 'config.yaml'}:"), message
    assert expected in message
    assert "\n" not in message


def test_there_are_enough_of_them() -> None:
    assert len({expected for _, _, expected in BROKEN.values()}) == len(BROKEN) >= 40
