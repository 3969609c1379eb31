"""Live FIX sessions: a venue in a process of its own that errs and is killed, and a desk that starts again."""

import random
import socket
import time

import pytest

from operators.feeds.fix import Fix
from operators.feeds.fix_fields import Moments
from operators.feeds.raw_log import raw_frame
from operators.framing.fix_message import decode
from operators.framing.fix_note import SENT
from operators.framing.refused import Refused
from operators.sources.feed import feed_config
from operators.sources.fix_line import FixLine
from operators.sources.fix_settings import FixSettings
from schemas.market import EventKind, RawKind
from tests.operators.feeds.venue_session import instruments, operator
from tests.operators.framing.fix_talk import NOW, fields_of, from_venue
from tests.operators.sources.fix_venue import LOCALHOST, START_NS, STEPS, SYMBOLS, Market, S, started
from tests.operators.sources.servers import stopped

LONGEST_S = 30.0
SETTINGS = {
    "sender": "DESK", "target": "VENUE", "version": "FIX.5.0SP2", "username": "me", "password": "secret",
    "heartbeat": "1s",
}  # fmt: skip


def line(port, **changes):
    settings = FixSettings.model_validate({"address": f"{LOCALHOST}:{port}", **SETTINGS, **changes})
    return FixLine(settings, SYMBOLS, retry_ns=20_000_000)


def until(condition, feed, entries):
    """Poll until `condition` holds for the entries."""
    deadline = time.monotonic() + LONGEST_S
    while not condition(entries):
        assert time.monotonic() < deadline, f"{len(entries)} entries after {LONGEST_S} s, the last {entries[-1:]}"
        entries += feed.poll()
        time.sleep(0.0005)
    return entries


def step_of(entries):
    """The last step of the market that was heard of, be it by the books that a new connection begins with."""
    for entry in reversed(entries):
        fields = decode(entry.data)
        if not isinstance(fields, Refused) and fields[1] in (("35", "W"), ("35", "X")):
            return (Moments().read(dict(fields)["60"], "60") - START_NS) // S
    return 0


def checked(entries, seed):
    """How many whole books were compared with the venue's; each must be right as of the step told last."""
    frame = raw_frame([(0, entry.data) for entry in entries])
    frame.rows["kind"] = [entry.kind for entry in entries]
    out = operator(Fix, *SYMBOLS).process({"raw": frame})
    truth, market = {symbol: [{}] for symbol in SYMBOLS}, Market(seed)
    while market.step < STEPS + 10:
        market.next()
        for symbol in SYMBOLS:
            truth[symbol].append(dict(market.books[symbol]))
    books, whole, compared, losses = {s: {} for s in SYMBOLS}, dict.fromkeys(SYMBOLS, False), 0, 0
    for event in out["events"]:
        symbol = SYMBOLS[event["instrument"]]
        book, key = books[symbol], (int(event["side"]), int(event["price"]))
        if event["kind"] == EventKind.CLEAR:
            book.clear()
        elif event["kind"] == EventKind.SYNC:
            whole[symbol] = bool(event["qty"])
            losses += not event["qty"]
        elif event["kind"] == EventKind.LEVEL:
            book.pop(key, None)
            if event["qty"]:
                book[key] = int(event["qty"])
        if event["flags"] and whole[symbol]:
            assert book == truth[symbol][(int(event["ts_event"]) - START_NS) // S]
            compared += 1
    return compared, losses, whole, out


def test_books_are_right_or_not_whole_while_the_venue_errs_and_is_killed():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    server, port = started(seed, 0, 0, True)
    feed, entries = line(port, reset=True), []
    try:
        for enough in (STEPS // 3, 2 * STEPS // 3):
            until(lambda e, enough=enough: step_of(e) >= enough, feed, entries)
            stopped(server)
            server, _ = started(seed, port, step_of(entries) + 2, True)
        until(lambda e: step_of(e) >= STEPS, feed, entries)
        for _ in range(400):
            entries += feed.poll()
            time.sleep(0.001)
    finally:
        stopped(server)
        feed.close()
    compared, losses, _, out = checked(entries, seed)
    assert compared > STEPS // 4
    assert losses > 2
    assert "dead_letters" in out
    assert [e.clock for e in entries] == sorted(e.clock for e in entries)
    assert not any(b"secret" in entry.data for entry in entries)


def test_a_desk_that_starts_again_goes_on_where_its_record_ends():
    seed = 5
    server, port = started(seed, 0, 0, False)
    feed, entries = line(port, reset=False), []
    try:
        for enough in (STEPS // 4, STEPS // 2):
            until(lambda e, enough=enough: step_of(e) >= enough, feed, entries)
            place, told = feed.place, len(entries)
            entries += feed.poll()
            feed._stream.close()  # as a crash does: nobody logs out, and what was about to be sent is not
            feed = line(port, reset=False)
            feed.resume(place)
            for entry in entries[told:]:
                feed.follow(entry)
        until(lambda e: step_of(e) >= STEPS, feed, entries)
    finally:
        feed.close()
        stopped(server)
    compared, _, whole, out = checked(entries, seed)
    numbers = [int(fields_of(e.data)["34"]) for e in entries if e.kind == RawKind.MESSAGE and e.data[:1] == b"8"]
    assert numbers == list(range(1, len(numbers) + 1))
    sent = [int(fields_of(e.data[len(SENT) :])["34"]) for e in entries if e.data.startswith(SENT)]
    assert sent == list(range(1, len(sent) + 1))
    assert compared > STEPS // 2
    assert all(whole.values())
    assert "dead_letters" not in out


def test_a_venue_that_ends_the_day_ends_the_feed_where_that_is_said():
    with socket.create_server((LOCALHOST, 0)) as listening:
        feed, entries = line(listening.getsockname()[1], until_logout=True), []
        until(lambda e: len(e) >= 2, feed, entries)
        entries += feed.poll()
        accepted, _ = listening.accept()
        with accepted:
            assert fields_of(accepted.recv(4096))["554"] == "secret"
            accepted.sendall(from_venue(1, "A", ("98", 0), ("108", 1)) + from_venue(2, "5", ("58", "good night")))
            until(lambda e: feed.is_over, feed, entries)
            assert [entry[1:] for entry in feed.poll()] == [(RawKind.DISCONNECT, b"good night")]
            assert feed.poll() == []
            assert fields_of(accepted.recv(4096))["35"] == "5"
    feed.close()
    assert [e.kind for e in entries[:2]] == [RawKind.CONNECT, RawKind.MESSAGE]
    assert entries[-1].data.startswith(SENT)


def test_nobody_there_is_tried_again_and_costs_no_time():
    with socket.socket() as sock:
        sock.bind((LOCALHOST, 0))
        feed = line(sock.getsockname()[1])
        assert [entry for _ in range(100) for entry in feed.poll()] == []
        feed.close()
        feed.close()


def test_the_request_names_what_is_wanted():
    feed = line(1, depth=5, entry_types=["0", "1"], security_id_source="8")
    assert feed._body("r", 1) == [
        ("262", "r"), ("263", 1), ("264", 5), ("265", 1), ("267", 2), ("269", "0"), ("269", "1"), ("146", 2),
        ("55", "[N/A]"), ("48", "X"), ("22", "8"), ("55", "[N/A]"), ("48", "Y"), ("22", "8"),
    ]  # fmt: skip


class Wire:
    """A connection that is up, and a clock, both moved by hand."""

    def __init__(self, *_):
        self.is_new, self.sent, self.coming = True, b"", b""

    def send(self, data):
        self.sent += data
        return True

    def receive(self):
        data, self.coming = self.coming, b""
        return data

    def close(self):
        pass


def test_what_is_sent_is_recorded_in_the_order_of_its_numbers(monkeypatch):
    wire = Wire()
    monkeypatch.setattr("operators.sources.fix_line.TcpStream", lambda *_: wire)
    feed = line(1, reset=False)
    entries = [*feed.poll(), *feed.poll()]
    wire.coming = from_venue(9, "A", ("98", 0), ("108", 30))
    entries += feed.poll()
    sent = [fields_of(e.data[len(SENT) :]) for e in entries if e.data.startswith(SENT)]
    assert [(m["35"], m["34"]) for m in sent] == [("A", "1"), ("2", "2"), ("V", "3")]
    again = line(1, reset=False)
    for entry in entries:
        again.follow(entry)
    assert again.place == feed.place == "1 4"


@pytest.mark.parametrize("reset", [True, False])
def test_it_logs_out_where_the_number_of_that_does_not_matter(monkeypatch, reset):
    wire = Wire()
    monkeypatch.setattr("operators.sources.fix_line.TcpStream", lambda *_: wire)
    feed = line(1, reset=reset)
    for coming in (b"", b"", from_venue(1, "A", ("98", 0), ("108", 30)), b""):
        wire.coming = coming
        feed.poll()
    wire.sent = b""
    feed.close()
    assert (b"\x0135=5\x01" in wire.sent) is reset


def test_it_asks_anew_for_what_will_not_come_and_for_full_refreshes_now_and_then(monkeypatch):
    wire, now = Wire(), [NOW]
    monkeypatch.setattr("operators.sources.fix_line.TcpStream", lambda *_: wire)
    monkeypatch.setattr("operators.sources.fix_line.time.time_ns", lambda: now[0])
    feed, entries = line(1, refresh="5s", heartbeat="30s"), []

    def hear(*messages, seconds=1):
        now[0] += seconds * S
        wire.coming, wire.sent = b"".join(messages), b""
        feed.poll()
        assert wire.sent == b""  # not before it is recorded
        feed.poll()
        said = [fields_of(part) for part in wire.sent.replace(b"\x018=", b"\x01\n8=").split(b"\n") if part]
        return [(m["35"], m.get("263"), m.get("262")) for m in said]

    entries += feed.poll()
    assert [kind for kind, *_ in hear()] == ["A"]
    ((_, kind, first),) = hear(from_venue(1, "A", ("98", 0), ("108", 30)))
    assert kind == "1"
    (ended, begun) = hear(from_venue(2, "4", ("123", "Y"), ("36", 9)))
    assert (ended[1:], begun[1]) == (("2", first), "1")
    assert begun[2] != first
    assert hear(from_venue(9, "0"), seconds=4) == []
    ((_, kind, _),) = hear(from_venue(10, "0"))
    assert kind == "0"
    again = hear(from_venue(1, "A", ("98", 0), ("108", 30), ("141", "Y")))
    assert [(m[0], m[1]) for m in again] == [("A", None), ("V", "2"), ("V", "1")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"address": "somewhere"}, "write one like fix.example.com:9876"),
        ({"address": "host:0"}, "is not an address"),
        ({"heartbeat": "1500ms"}, "write one like 30s"),
        ({"username": None}, "add `username`"),
        ({"version": "FIX.4.2"}, "FIX.4.4"),
    ],
)
def test_settings_that_cannot_be_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        FixSettings.model_validate({"address": "host:1", **SETTINGS, **change})


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ({"format": "fix_session"}, "fix\n  Field required"),
        ({"format": "fix_session", "path": "x", "fix": {}}, "path\n  Extra inputs are not permitted"),
        ({"format": "fix_log"}, "path\n  Field required"),
        (
            {"format": "fix_log", "path": "x", "fix": {"address": "h:1", **SETTINGS}},
            "fix\n  Extra inputs are not permitted",
        ),
        ({"format": "fix_log", "path": "x", "date": "2024-01-01"}, "date\n  Extra inputs are not permitted"),
    ],
)
def test_feeds_that_cannot_be_are_refused(feed, message):
    with pytest.raises(ValueError, match=message):
        feed_config(id="f", **feed)


def test_a_line_is_made_of_a_feed():
    config = feed_config(id="f", format="fix_session", fix={"address": "h:1", **SETTINGS})
    assert "secret" not in repr(config)
    assert config.fix.terms.password == "secret"
    assert isinstance(FixLine.of(config, instruments("X")), FixLine)
