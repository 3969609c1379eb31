"""A session played over both protocols: everything comes, at the pace asked for, and again when it is asked for."""

import socket
import time
from contextlib import closing

from operators.framing.mold_packet import Packet, Request, decode_packet, encode_request
from operators.framing.mold_receiver import MoldReceiver
from operators.framing.soup_client import SessionEnded, SoupClient
from operators.sources.endpoint import Endpoint
from operators.sources.player import Player, itch_messages
from operators.sources.soup_socket import SoupSocket
from tests.operators.sources import log
from tests.operators.sources.test_sockets import LOCALHOST, has, received

MESSAGES = [(10**9 + i * 10**6, log.itch_message(10**9 + i * 10**6)) for i in range(300)]
PLAIN = [message for _, message in MESSAGES]


def listening():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((LOCALHOST, 0))
    sock.settimeout(2)
    return sock


def test_a_file_is_its_messages_with_their_times(tmp_path):
    path = log.write(tmp_path / "s", log.itch_bytes(PLAIN) + b"\0")
    assert list(itch_messages(path)) == MESSAGES


def test_lines_get_packets_and_requests_are_answered():
    with listening() as a, listening() as b, listening() as asking:
        lines = [Endpoint(*sock.getsockname()) for sock in (a, b)]
        player = Player(iter(MESSAGES), "S", 0, lines=lines, replies=Endpoint(LOCALHOST, 0), loss=0.3, seed=2)
        receiver, out = MoldReceiver(sequence=1), []
        with closing(player):
            while not player.is_over:
                player.step(0)
            assert player.played == 300
            for sock in (a, b):
                sock.setblocking(False)
                while True:
                    try:
                        out += receiver.receive(sock.recv(2048))
                    except BlockingIOError:
                        break
            asking.sendto(encode_request(Request(b"S".ljust(10), 7, 3)), (LOCALHOST, player.ports[0]))
            player.step(1)
            answer = decode_packet(asking.recv(2048))
    assert 0 < receiver.counts.duplicates < 300
    assert received(out) > 0
    assert answer == Packet(b"S".ljust(10), 7, PLAIN[6:9])


def test_the_pace_is_a_multiple_of_the_recorded_one():
    player = Player(iter(MESSAGES), "S", 3)
    with closing(player):
        begin = time.monotonic()
        while not player.is_over:
            player.step(0.001)
        assert 0.09 < time.monotonic() - begin < 2


def test_clients_log_in_and_follow_to_the_end():
    player = Player(iter(MESSAGES), "S", 0, soup=Endpoint(LOCALHOST, 0), passwords={"pair": "secret"})
    link = SoupSocket(SoupClient("pair", "secret"), (LOCALHOST, player.ports[1]))
    gone = SoupSocket(SoupClient("pair", "secret"), (LOCALHOST, player.ports[1]))
    out, deadline = [], time.monotonic() + 10
    with closing(player):
        gone.poll(0.05)
        gone.close()
        while not has(SessionEnded)(out) and time.monotonic() < deadline:
            player.step(0)
            out += link.poll(0.001)
    assert [item.data for item in out if hasattr(item, "sequence") and hasattr(item, "data")] == PLAIN
