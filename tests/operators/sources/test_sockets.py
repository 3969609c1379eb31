"""Feeds off the network: servers in processes of their own, killed and started again under a client that goes on."""

import random
import socket
import time

import pytest

from operators.framing.mold_output import Ended, Message, Output
from operators.framing.mold_receiver import MoldReceiver
from operators.framing.mold_sender import MoldSender
from operators.framing.soup_client import Accepted, Rejected, SessionEnded, SoupClient
from operators.sources.mold_socket import MoldSocket
from operators.sources.soup_socket import SoupSocket
from tests.operators.framing.lossy import assert_honest
from tests.operators.sources.servers import COUNT, LOCALHOST, SESSION, session_messages, started, stopped

LONGEST_S = 20.0
PATIENT = 60 * 10**9
LINES = [(LOCALHOST, 0), (LOCALHOST, 0)]


def until(condition, poll):
    """Poll until `condition` holds for what has come; fails when that takes too long."""
    out, deadline = [], time.monotonic() + LONGEST_S
    while not condition(out):
        assert time.monotonic() < deadline, f"{len(out)} items after {LONGEST_S} s, the last {out[-1:]}"
        out += poll(0.2)
    return out


def has(kind):
    return lambda out: any(isinstance(item, kind) for item in out)


def test_a_feed_is_whole_though_both_lines_lose_and_the_server_is_killed_twice():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    feed = MoldSocket(MoldReceiver(sequence=1, patience_ns=PATIENT, ask_every_ns=2_000_000), LINES)
    lines, port, out = feed.ports, 0, list[Output]()
    for first, enough in ((1, 300), (500, 900), (1300, COUNT)):
        server, port = started("mold", seed, port, first, 0.2, *lines)
        feed.server = (LOCALHOST, port)
        try:
            out += until(lambda new, out=out, enough=enough: received(out) + received(new) >= enough, feed.poll)
        finally:
            stopped(server)
    server, port = started("mold", seed, port, COUNT, 0, *lines)
    try:
        out += until(lambda new, out=out: has(Ended)(out + new), feed.poll)
    finally:
        stopped(server)
        feed.close()
    assert assert_honest(out, session_messages(seed)) == set()
    assert out[-1] == Ended(SESSION.ljust(10).encode(), COUNT + 1)


def received(out):
    return sum(isinstance(item, Message) for item in out)


def test_a_client_that_starts_again_asks_for_what_it_missed_meanwhile():
    seed = 7
    first = MoldSocket(MoldReceiver(sequence=1, patience_ns=PATIENT), LINES[:1])
    server, port = started("mold", seed, 0, 1, 0, *first.ports)
    first.server = (LOCALHOST, port)
    try:
        out = until(lambda new: received(new) >= 100, first.poll)
        ports, place = first.ports, received(out) + 1
        first.close()
        receiver = MoldReceiver(SESSION.encode(), place, patience_ns=PATIENT, ask_every_ns=2_000_000)
        second = MoldSocket(receiver, [(LOCALHOST, ports[0])], (LOCALHOST, port))
        out += until(has(Ended), second.poll)
        second.close()
    finally:
        stopped(server)
    assert assert_honest(out, session_messages(seed)) == set()


def test_without_a_server_a_gap_is_lost_when_patience_ends():
    sender, receiver = MoldSender(b"S"), MoldReceiver(sequence=1, patience_ns=30_000_000)
    feed = MoldSocket(receiver, LINES[:1])
    packets = [packet for message in (b"a", b"b", b"c") for packet in sender.send([message])]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for packet in (packets[0], packets[2]):
            sock.sendto(packet, (LOCALHOST, feed.ports[0]))
        out = until(lambda new: received(new) == 2, feed.poll)
    assert assert_honest(out, [b"a", b"b", b"c"]) == {2}
    assert feed.poll(0.01) == []
    feed.close()


def test_a_multicast_group_is_joined():
    feed = MoldSocket(MoldReceiver(), [("239.255.77.1", 0)], interface=LOCALHOST)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOCALHOST))
        sock.sendto(MoldSender(b"S").send([b"a"])[0], ("239.255.77.1", feed.ports[0]))
    assert until(has(Message), feed.poll) == [Message(1, b"a")]
    feed.close()


def test_an_address_that_cannot_be_had_is_an_error():
    with pytest.raises(OSError, match="assign"):
        MoldSocket(MoldReceiver(), [("192.0.2.1", 0)])


def test_a_session_over_tcp_is_whole_though_the_server_is_killed_twice():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    server, port = started("soup", seed, 0, 3)
    link = SoupSocket(SoupClient("pair", "secret"), (LOCALHOST, port), retry_s=0.05)
    out = []
    for enough in (200, 600):
        out += until(lambda new, out=out, enough=enough: received(out) + received(new) >= enough, link.poll)
        stopped(server)
        server, _ = started("soup", seed, port, 40)
    try:
        out += until(has(SessionEnded), link.poll)
    finally:
        stopped(server)
    assert [item.data for item in out if isinstance(item, Message)] == session_messages(seed)
    assert [item.sequence for item in out if isinstance(item, Message)] == list(range(1, COUNT + 1))
    assert len([item for item in out if isinstance(item, Accepted)]) == 3
    assert link.is_over
    assert link.poll(0.01) == []


def test_a_server_that_lets_nobody_in_is_asked_again():
    server, port = started("soup", 1, 0, 3)
    link = SoupSocket(SoupClient("pair", "wrong"), (LOCALHOST, port), retry_s=0.05)
    try:
        assert until(has(Rejected), link.poll) == [Rejected("A")]
        assert not link.is_over
        assert not link.send(b"order")
        assert until(has(Rejected), link.poll) == [Rejected("A")]
    finally:
        stopped(server)


def test_a_server_of_another_session_is_left():
    server, port = started("soup", 1, 0, 3)
    link = SoupSocket(SoupClient("pair", "secret", "YESTERDAY", 7), (LOCALHOST, port), retry_s=0.05)
    try:
        assert until(has(Rejected), link.poll) == [Rejected("S")]
    finally:
        stopped(server)


def test_looking_takes_no_time():
    feed = MoldSocket(MoldReceiver(), LINES)
    link = SoupSocket(SoupClient("pair", "secret"), ("192.0.2.1", 9))  # where nobody answers
    begin = time.monotonic()
    for _ in range(100):
        assert feed.poll(0) == []
        assert link.poll(0) == []
    assert time.monotonic() - begin < 1
    feed.close()
    link.close()


def test_nobody_there_is_waited_for():
    with socket.socket() as sock:
        sock.bind((LOCALHOST, 0))
        link = SoupSocket(SoupClient("pair", "secret"), sock.getsockname(), retry_s=0.01)
        assert link.poll(0.05) == []
        link.close()
