"""A capture in which everything went wrong: the flow takes it all, says what it could not take, and stays careful."""

import random
import re
import shutil

import pytest

from flows.config import load
from operators.simulator.files import FEED
from schemas.market import BookState, EventKind
from tests.operators.feeds.itch_reference import Reference
from tests.recovery import processes, tables
from tests.recovery.session import framed, heavily_damaged, messages_of, write_config

SEED = 17


@pytest.fixture(scope="module")
def outcome(session, tmp_path_factory):
    """The configuration, the messages in order, and the tables of a run through them, every quote among these."""
    folder = tmp_path_factory.mktemp("bad")
    print(f"seed {SEED}")
    damaged = shutil.copytree(session, folder / "session")
    messages = messages_of((session / FEED).read_bytes())
    messages = heavily_damaged(messages, random.Random(SEED), first=12_000, share=0.0006)
    capture = framed(messages)
    cut = len(messages[-1]) // 2
    (damaged / FEED).write_bytes(capture[:-cut])  # the length before the last message promises more than follows
    messages[-1] = messages[-1][: len(messages[-1]) - cut]
    config = write_config(folder / "config.yaml", damaged, run="bad", desks=1, quotes="on")
    processes.run(config, "-r", folder / "recovery", "--epoch-ms", 2000)
    return config, messages, tables.dump(tables.target_of(config), folder / "tables")


def test_the_flow_went_through_and_traded(outcome):
    _, messages, found = outcome
    tables.assert_numbered(found)
    tables.assert_full(found, 1)
    assert max(map(int, tables.column(found, "equity", "cause"))) > len(messages) * 0.95
    assert tables.column(found, "verdicts", "passed").count("1") > 200


def test_every_rejected_message_is_a_dead_letter_with_its_bytes(outcome):
    """Which ones those are is told by a decoder that shares no code with ours."""
    config, messages, found = outcome
    rejected = dict(decoded(config, messages).rejects)
    letters = {
        int(cause): (tables.unescaped(content), reason)
        for cause, content, reason in zip(
            *(tables.column(found, "dead_letters", name) for name in ("cause", "bytes", "reason")), strict=True
        )
    }
    assert letters.keys() == rejected.keys()
    assert len(letters) > 150
    for cause, (content, reason) in letters.items():
        assert content == messages[cause - 1]
        field = rejected[cause]
        assert re.match(rf"(. ?, )?{field}: expected .+, came ", reason, re.DOTALL), (field, reason)


def test_nothing_passes_on_a_book_that_is_not_in_step(outcome):
    """From the message that cost a book its trust on, which ITCH never gives back, no order of it passes."""
    config, messages, found = outcome
    desk = load(config).desk("alpha")
    lost: dict[str, int] = {}
    for cause, *_, instrument, _, _, _ in unsynced(config, messages):
        lost.setdefault(desk.instruments[instrument].id, cause)
    contradicted = zip(*(tables.column(found, "feed_events", c) for c in ("kind", "instrument", "cause")), strict=True)
    for kind, instrument, cause in contradicted:
        if kind == "inconsistent":
            lost[instrument] = min(int(cause), lost.get(instrument, int(cause)))
    assert len(lost) > 10
    passed = [(i, c) for i, c, ok in verdicts(found) if ok]
    assert [(i, c) for i, c in passed if c >= lost.get(i, c + 1)] == []
    assert len({i for i, c in passed if i in lost}) > 10, "they were never traded before"


def test_nothing_passes_on_a_quote_that_is_not_tradable(outcome):
    """Neither unsynced, halted, crossed nor empty, at the moment of the verdict."""
    _, _, found = outcome
    quotes = zip(*(tables.column(found, "quotes", c) for c in ("cause", "instrument", "state")), strict=True)
    history: dict[str, list[tuple[int, int]]] = {}
    seen = 0
    for cause, instrument, state in quotes:
        history.setdefault(instrument, []).append((int(cause), int(state)))
        seen |= int(state)
    assert BookState(seen) >= BookState.UNSYNCED | BookState.HALTED | BookState.CROSSED
    for instrument, cause, ok in verdicts(found):
        if ok:
            assert was_tradable(history[instrument], cause), (instrument, cause)


def was_tradable(history: list[tuple[int, int]], cause: int) -> bool:
    """Whether the book was, just before entry `cause` or after it: an order may fall due between the two."""
    before = [state for c, state in history if c < cause]
    after = [state for c, state in history if c <= cause]
    return 0 in (before[-1:] + after[-1:])


def verdicts(found):
    columns = (tables.column(found, "verdicts", name) for name in ("instrument", "cause", "passed"))
    return [(instrument, int(cause), passed == "1") for instrument, cause, passed in zip(*columns, strict=True)]


def decoded(config, messages):
    reference = Reference(load(config).desk("alpha"), 0, 0)
    return reference.decode([(i, 0, message) for i, message in enumerate(messages, 1)])


def unsynced(config, messages):
    return [event for event in decoded(config, messages).events if event[8] == EventKind.SYNC and event[6] == 0]
