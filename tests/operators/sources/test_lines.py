"""Desks that listen to servers in processes of their own, which are killed and started again under them."""

import random
import socket
import time
from contextlib import closing

import pytest

from operators.framing.mold_output import Ended, Message
from operators.framing.notice import Began, Over, decode_notice
from operators.framing.refused import Refused
from operators.sources import mold_socket, soup_socket
from operators.sources.feed import feed_config
from operators.sources.line import Entry
from operators.sources.lines import open_line
from operators.sources.live_input import LiveInput
from operators.sources.place import Place
from schemas.errors import CaptureError
from schemas.market import RawKind
from tests.operators.sources import log
from tests.operators.sources.servers import COUNT, LOCALHOST, SESSION, session_messages, started, stopped

LONGEST_S = 30.0
MESSAGE, CONNECT = RawKind.MESSAGE, RawKind.CONNECT


def mold_feed(line, server, **settings):
    addresses = {"lines": [f"{LOCALHOST}:{line}"], "server": f"{LOCALHOST}:{server}", "patience": "1m"}
    return feed_config(id="f", format="moldudp64", **addresses | settings)


def soup_feed(port, **settings):
    login = {"server": f"localhost:{port}", "username": "pair", "password": "secret"}
    return feed_config(id="f", format="soupbintcp", **login | settings)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOCALHOST, 0))
        return sock.getsockname()[1]


def listening(folder, feed, resume=None):
    return LiveInput(folder, ["f"], lambda: [open_line(feed, [])], 100, resume, segment_bytes=5000, sync="never")


def heard(source, enough):
    """What is handed on until so many messages were, or the end."""
    found, deadline = [], time.monotonic() + LONGEST_S
    while (part := log.next_entries(source)) is not None:
        found += part
        if sum(entry[2] == MESSAGE for entry in found) >= enough:
            break
        assert time.monotonic() < deadline, f"{len(found)} entries after {LONGEST_S} s, the last {found[-1:]}"
    return found


@pytest.mark.parametrize("kind", ["mold", "soup"])
def test_server_and_desk_are_killed_in_turn_and_the_session_is_heard_once(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(mold_socket, "_AT_ONCE", 2)  # a look is to take a small part of the session
    monkeypatch.setattr(soup_socket, "_PIECE_BYTES", 200)
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    line, port, found = free_port(), free_port(), []
    feed = mold_feed(line, port) if kind == "mold" else soup_feed(port)
    source = listening(tmp_path, feed)
    for first, enough in ((1, 300), (500, 300), (1300, COUNT + 10)):
        server, _ = started(kind, seed, port, *((first, 0.1, line) if kind == "mold" else (5,)))
        try:
            found += heard(source, enough // 2)
            position = source.snapshot()
            source.close()
            source = listening(tmp_path, feed, position)
            found += heard(source, enough)
        finally:
            stopped(server)
    source.close()
    said = [entry[4] for entry in found if entry[2] == MESSAGE]
    notices = [notice for message in said if (notice := decode_notice(message)) is not None]
    assert [message for message in said if decode_notice(message) is None] == session_messages(seed)
    session = SESSION.ljust(10).encode() if kind == "mold" else SESSION.encode()
    assert [n for n in notices if isinstance(n, Began | Over)] == [Began(session, 1), Over(session, COUNT + 1)]
    assert not [n for n in notices if isinstance(n, Refused)]
    assert sum(entry[2] == CONNECT for entry in found) >= 3
    assert source.snapshot().is_ended


def test_a_server_that_breaks_off_is_logged_in_to_again_and_that_is_told(tmp_path):
    server, port = started("soup", 5, 0, 5)
    with closing(listening(tmp_path, soup_feed(port))) as source:
        found = heard(source, 50)
        stopped(server)
        server, _ = started("soup", 5, port, 50)
        try:
            found += heard(source, COUNT)
        finally:
            stopped(server)
    assert [entry[4] for entry in found if entry[2] == MESSAGE][1:-1] == session_messages(5)
    assert sum(entry[2] == CONNECT for entry in found) == 1


def test_a_login_that_is_refused_is_told_and_tried_again():
    server, port = started("soup", 5, 0, 5)
    line = open_line(soup_feed(port, password="wrong"), [])
    try:
        with closing(line):
            entries, deadline = [], time.monotonic() + LONGEST_S
            while len(entries) < 2 and time.monotonic() < deadline:
                entries += line.poll()
    finally:
        stopped(server)
    reason = "login: expected to be let in, came A (not authorised)"
    assert [decode_notice(entry.data) for entry in entries] == [Refused(reason, b"A")] * 2
    assert not line.is_over


def test_an_address_that_cannot_be_had_is_told():
    with pytest.raises(CaptureError, match=r"feed 'f': cannot listen \(.*\); correct its addresses"):
        open_line(mold_feed(1, 2, lines=["192.0.2.1:1"]), [])
    with pytest.raises(CaptureError, match=r"feed 'f': cannot listen"):
        open_line(soup_feed(1, server="no-such-host.invalid:1"), [])
    with pytest.raises(CaptureError, match=r"cannot listen \(illegal IP address"):
        open_line(mold_feed(1, 2, lines=["239.255.77.9:0"], interface="lo"), [])


def test_a_line_is_taken_up_by_its_place_as_by_all_that_was_heard():
    server, port = started("soup", 5, 0, 5)
    try:
        first, entries = open_line(soup_feed(port), []), []
        with closing(first):
            while len(entries) < 100:
                entries += first.poll()
        by_place, by_entries = (open_line(soup_feed(port), []) for _ in range(2))
        by_place.resume(first.place)
        for entry in entries:
            by_entries.follow(entry)
        assert by_place.place == by_entries.place == first.place
        for line in (by_place, by_entries):
            with closing(line):
                found, deadline = [], time.monotonic() + LONGEST_S
                while not found and time.monotonic() < deadline:
                    found = line.poll()
            assert found[0].data == session_messages(5)[len(entries) - 1]
    finally:
        stopped(server)


def test_a_session_that_is_over_stays_so():
    place = Place(1)
    said = Place(1).log(b"S", [Message(1, b"a"), Ended(b"S", 2), Message(1, b"of the next session")])
    assert len(said) == 3
    for message in said:
        place.follow(message)
    assert (place.session, place.sequence, place.is_over) == (b"S", 2, True)
    line = open_line(soup_feed(9), [])
    line.resume(place.text)
    assert line.is_over
    assert line.poll() == []
    line.follow(Entry(0, CONNECT, b""))
    assert line.place == place.text
    line.close()
