"""The express gives the same rows and the same state as the steps it stands for, growing tables included."""

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from flows.chain import Chain
from flows.config import Config, load
from flows.express import ExpressStep, express_path
from flows.graph import build_graph
from flows.step import Step
from flows.streams import SOURCE, Streams
from operators.execution.rows import MOST_ROWS_PER_STEP, scratch
from operators.framing.mold_output import Lost
from operators.framing.notice import decode_notice, encode_notice
from operators.operator import Frames
from operators.simulator.files import write_session
from operators.simulator.parameters import SessionParameters
from operators.sources.desk_input import DeskInput
from schemas.errors import ConfigError
from schemas.integrity import AuditScope
from schemas.market import BookState, FeedEventKind
from schemas.signal import Action
from tests.flows.test_simulated_truth import CONFIG
from tests.recovery.session import framed, messages_of

SESSION = SessionParameters(symbols=8, groups=2, pairs=10, messages=9_000, hours=0.5, seed=5)
PATHS: dict[str, Callable[[Chain], Any]] = {
    "steps": lambda chain: [step.run for step in chain.steps],
    "express": lambda chain: express_path(chain.steps, chain.numbering),
    "behind the feed": lambda chain: _behind(chain, 0),
    "behind the book": lambda chain: _behind(chain, 1),
}


def _behind(chain: Chain, last: int) -> Any:
    """The path where step number `last` is of a kind that the express does not know."""
    operator: Any = chain.steps[last].operator
    kind = type(operator)
    operator.__class__ = type("Other", (kind,), {})
    path = express_path(chain.steps, chain.numbering)
    operator.__class__ = kind
    assert len(path) == last + 2
    return path


class _Watcher:
    """Looks on: what it reads is not the express's alone."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def process(self, frames: Frames) -> Frames:
        self.seen += [(port, row) for port, frame in sorted(frames.items()) for row in frame.tolist()]  # type: ignore[union-attr]
        return {}


def _expresses(path: Any) -> list[bool]:
    return [isinstance(getattr(run, "__self__", None), ExpressStep) for run in path]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session in which, after a while, one message in two hundred is damaged: each ends the trust in a book."""
    folder = write_session(SESSION, tmp_path_factory.mktemp("express") / "session")
    capture, rng = folder / "session.itch", random.Random(7)
    messages = messages_of(capture.read_bytes())
    for i in range(7_000, len(messages), 200):
        messages[i] = rng.choice([messages[i][:-1], b"?" + messages[i][1:], b"", encode_notice(Lost(i, i + 2))])
    capture.write_bytes(framed(messages))
    return folder


def configuration(session: Path, **changes: str) -> Config:
    text = CONFIG.format(
        session=session,
        pairs="pairs.yaml",
        hedge="{type: rolling, window: 60}",
        zscore="{type: rolling, window: 20}",
        every="2s",
    )
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    path = session.parent / "express.yaml"
    path.write_text(text.replace("type: book, input", "type: book, orders: 4, levels: 4, input"))
    return load(path)


def rows_of(config: Config, frame: int, path: str) -> tuple[dict[str, list[Any]], Any]:
    chain = Chain(build_graph(config), config.desk("main"))
    loop: Any = chain.steps[-1].operator
    loop._out = scratch(MOST_ROWS_PER_STEP + 1)  # so that the closed loop stops in the middle of many blocks
    chain._path = PATHS[path](chain)
    assert any(_expresses(chain._path)) == (path != "steps")
    rows: dict[str, list[Any]] = {}
    with closing(DeskInput([(f, config.feed_path(f)) for f in config.desks[0].feeds], frame, None, "main")) as source:
        while (raw := source.next()) is not None:
            for name, (first, found) in chain.process(raw).streams.items():
                assert first == len(rows.setdefault(name, [])) + 1
                rows[name] += found.tolist()
    return rows, chain.snapshot()


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    return a.tolist() == b.tolist() if hasattr(a, "tolist") else a == b


EVERY_ROW = {"spreads: {every: 30s}, quotes: {every: 30s}": "spreads: on, quotes: on"}
NO_LEVELS = {"[limits, book]": "[limits, book.quotes]"}
SILENCES = {
    **EVERY_ROW,
    "timezone: America/New_York}]": "timezone: America/New_York}, {id: late, format: itch50, path: session.itch, "
    "date: 2026-01-05, timezone: America/New_York, delay: 1100ms}]",
    "  - {id: book, type: book, input: itch}": ""
    "  - {id: heard, type: silence, input: [feeds, itch], after: {itch: 1s}}\n"
    "  - {id: book, type: book, input: heard}\n"
    "  - {id: audit, type: audit, input: [feeds, itch, heard, book]}",
}
"""A second feed that nobody decodes, but that tells the time while the first is silent."""
RARE = {
    "{type: rolling, window: 60}": "{type: kalman}",
    "{type: rolling, window: 20}": "{type: ewm, half_life: 10}",
    "every: 2s}": "every: 2s, max_age: 1m}",
}


@pytest.mark.parametrize(
    ("changes", "frames", "path"),
    [
        ({}, (1, 7, 64, 1_000, 20_000), "express"),
        (EVERY_ROW, (1, 300), "express"),
        (EVERY_ROW, (7, 1_000), "behind the feed"),
        (NO_LEVELS, (50, 3_000), "express"),
        (NO_LEVELS, (1, 1_000), "behind the book"),
        (RARE, (1, 1_000), "express"),
    ],
)
def test_rows_and_state_are_those_of_the_steps(
    session: Path, changes: dict[str, str], frames: tuple[int, ...], path: str
) -> None:
    config = configuration(session, **changes)
    expected, state = rows_of(config, 1_000, "steps")
    assert {"orders", "fills", "equity", "quotes", "spreads", "dead_letters", "feed_events"} <= expected.keys()
    assert FeedEventKind.GAP in [row[4] for row in expected["feed_events"]]
    for frame in frames:
        found, express_state = rows_of(config, frame, path)
        assert found == expected
        assert equal(express_state, state)


@pytest.mark.parametrize("frame", [1, 700])
def test_nothing_is_decided_on_instruments_of_a_silent_feed(session: Path, frame: int) -> None:
    config = configuration(session, **SILENCES)
    expected, state = rows_of(config, 1_000, "steps")
    found, express_state = rows_of(config, frame, "express")
    assert found == expected
    assert equal(express_state, state)
    assert {FeedEventKind.STALE, FeedEventKind.FRESH} <= {row[4] for row in found["feed_events"]}
    received = [row[3] for row in found["audits"] if row[-1] == AuditScope.RUN]
    messages = messages_of((session / "session.itch").read_bytes())
    assert received == [sum(decode_notice(message) is None for message in messages)] * 2
    desk, states, quotes = config.desk("main"), [int(BookState.EMPTY)] * 8, iter(found["quotes"])
    quote = next(quotes, None)
    used = [(row[0], desk.legs[row[6]]) for row in found["signals"]]
    used += [(row[0], (row[5],)) for row in found["verdicts"] if row[6]]
    stale = 0
    for cause, instruments in sorted(used):
        while quote is not None and quote[0] <= cause:
            states[quote[7]] = quote[8]
            stale += quote[8] == BookState.STALE
            quote = next(quotes, None)
        assert [states[i] for i in instruments] == [BookState.OK] * len(instruments)
    assert stale > 100, stale


def test_depth_beside_the_express_changes_no_other_row(session: Path) -> None:
    depth = "{id: depth, type: depth, input: book, levels: 3, every: 2s}"
    config = configuration(session, **{"  - {id: trader,": f"  - {depth}\n  - {{id: trader,"})
    found, state = rows_of(config, 300, "express")
    expected, state_of_steps = rows_of(config, 1_000, "steps")
    assert found == expected
    assert equal(state, state_of_steps)
    without, _ = rows_of(configuration(session), 1_000, "express")
    assert without == {name: rows for name, rows in found.items() if name not in ("depth", "depth_levels")}
    assert len(found["depth_levels"]) > 2 * len(found["depth"]) > 1_000


def test_gates_and_executable_spreads_take_the_steps(session: Path) -> None:
    gate = "{id: gate, type: cointegration, input: book, every: 2s, window: 200, step: 20, open: 0.2, close: 0.4}"
    statistics = "{id: character, type: pair_statistics, input: [book, spread], every: 2s, window: 100}"
    changes = {
        "{type: rolling, window: 60}": "{type: kalman}",
        "every: 2s}": "every: 2s, max_age: 1m, executable: true}",
        "tables: {": "tables: {spread_quotes: on, ",
        "  - {id: bands, type: bands, input: spread,": f"  - {gate}\n  - {statistics}\n"
        "  - {id: bands, type: bands, input: [spread, gate],",
    }
    gated = configuration(session, **changes)
    chain = Chain(build_graph(gated), gated.desk("main"))
    assert not any(_expresses(chain._path))
    rows: dict[str, list[Any]] = {}
    closed, entered = set(range(10)), 0
    with closing(DeskInput([(f, gated.feed_path(f)) for f in gated.desks[0].feeds], 1, None, "main")) as source:
        while (raw := source.next()) is not None:
            streams = chain.process(raw).streams
            for name, (_, found) in streams.items():
                rows.setdefault(name, []).extend(found.tolist())
            for row in streams["gates"][1] if "gates" in streams else ():
                closed = closed - {row["pair"]} if row["state"] else closed | {row["pair"]}
            for row in streams["signals"][1] if "signals" in streams else ():
                assert row["action"] != Action.ENTER or row["pair"] not in closed
                entered += row["action"] == Action.ENTER
    assert entered
    assert {"gates", "pair_statistics", "spread_quotes", "fills"} <= rows.keys()


def learning_configuration(session: Path, classifier: str = "LogisticRegression") -> Config:
    features = "{id: features, type: features, input: [book, spread], every: 2s, half_life: 100}"
    steps = f"[{{class: river.preprocessing.StandardScaler}}, {{class: river.linear_model.{classifier}}}]"
    model = (
        f"{{id: model, type: model, input: [features, spread, book], model: {steps}, warm_up: 20, "
        "target: {type: reverts, exit: 0.3, stop: 6, horizon: 2m}}"
    )
    changes = {
        "  - {id: bands, type: bands, input: spread,": f"  - {features}\n  - {model}\n"
        "  - {id: bands, type: bands, input: [spread, model], min_probability: 0.5, unpredicted: closed,",
    }
    return configuration(session, **changes)


def test_a_model_that_cannot_be_is_refused_at_its_line(session: Path) -> None:
    sentence = (
        r"express\.yaml:\d+:\d+: operators\[\d\]: operator 'model' does not fit desk 'main': "
        r"class river\.linear_model\.Logistic: river\.linear_model has no 'Logistic'; it has .*LogisticRegression"
    )
    with pytest.raises(ConfigError, match=sentence):
        build_graph(learning_configuration(session, "Logistic"))


def test_bands_that_read_predictions_take_the_steps(session: Path) -> None:
    learning = learning_configuration(session)
    chain = Chain(build_graph(learning), learning.desk("main"))
    assert not any(_expresses(chain._path))
    rows: dict[str, list[Any]] = {}
    likely: set[int] = set()
    with closing(DeskInput([(f, learning.feed_path(f)) for f in learning.desks[0].feeds], 1, None, "main")) as source:
        while (raw := source.next()) is not None:
            streams = chain.process(raw).streams
            for name, (_, found) in streams.items():
                rows.setdefault(name, []).extend(found.tolist())
            for row in streams["predictions"][1] if "predictions" in streams else ():
                is_likely = row["state"] == 0 and row["probability"] >= 0.5
                likely = likely | {row["pair"]} if is_likely else likely - {row["pair"]}
            for row in streams["signals"][1] if "signals" in streams else ():
                assert row["action"] != Action.ENTER or row["pair"] in likely
    assert {"predictions", "signals", "fills"} <= rows.keys()
    assert "features" not in rows


def test_a_chain_that_is_restored_samples_as_it_did(session: Path) -> None:
    """What the express lets through for a sampled table depends on what it has seen, and must not show."""
    config = configuration(session)
    chain = Chain(build_graph(config), config.desk("main"))
    with closing(DeskInput([(f, config.feed_path(f)) for f in config.desks[0].feeds], 2_000, None, "main")) as source:
        first, second = source.next(), source.next()
    assert first is not None
    assert second is not None
    chain.process(first)
    state = chain.snapshot()
    once, again = chain.process(second), None
    chain.restore(state)
    again = chain.process(second)
    assert {n: (i, f.tolist()) for n, (i, f) in once.streams.items()} == {
        n: (i, f.tolist()) for n, (i, f) in again.streams.items()
    }
    assert "spreads" in once.streams


@pytest.mark.parametrize("frame", [1, 500])
def test_others_see_every_row_of_what_they_read(session: Path, frame: int) -> None:
    config, seen = configuration(session), []
    for has_express in (False, True):
        chain = Chain(build_graph(config), config.desk("main"))
        _, book, spread, *_ = chain.steps
        watcher: Any = _Watcher()
        reads = {"spreads": (spread.writes["spreads"],), "quotes": (book.writes["quotes"],)}
        steps = [*chain.steps[:3], Step("watcher", watcher, reads, {}), *chain.steps[3:]]
        path = express_path(steps, chain.numbering)
        assert _expresses(path) == [True, False]
        feeds = [(f, config.feed_path(f)) for f in config.desks[0].feeds]
        with closing(DeskInput(feeds, frame, None, "main")) as source:
            while (raw := source.next()) is not None:
                streams: Streams = {SOURCE: raw}
                for run in path if has_express else [step.run for step in steps]:
                    run(streams)
                chain.numbering.number(raw, streams)
        seen.append(watcher.seen)
    assert seen[0] == seen[1]
    assert {port for port, _ in seen[0]} == {"spreads", "quotes"}


def test_only_operators_that_read_each_other_take_the_express(session: Path) -> None:
    config = configuration(session)
    chain = Chain(build_graph(config), config.desk("main"))
    feed, book, spread, bands, loop = chain.steps

    def length(*steps: Step) -> int:
        return len(express_path(steps, chain.numbering))

    assert length(feed, book, spread, bands, loop) == 1
    watcher = Step("watcher", book.operator, {"events": (feed.writes["events"],)}, {})
    assert length(feed, watcher, book, spread, bands, loop) == 3
    reader = Step("reader", book.operator, {"quotes": (book.writes["quotes"],)}, {})
    assert length(feed, book, reader, spread, bands, loop) == 2
    spread.reads = (("quotes", (("other", "quotes"),)),)
    assert length(feed, book, spread, bands, loop) == 5
