"""Client and server of SoupBinTCP over connections that deliver in any pieces, and break anywhere."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.framing.mold_output import Lost, Message
from operators.framing.refused import Refused
from operators.framing.soup_client import (
    HEARTBEAT_NS,
    SILENCE_NS,
    Accepted,
    Debug,
    Rejected,
    SessionEnded,
    SoupClient,
    Unsequenced,
)
from operators.framing.soup_packet import (
    FromClient,
    FromServer,
    PacketStream,
    decode_accepted,
    decode_login,
    encode,
    encode_accepted,
    encode_login,
)
from operators.framing.soup_server import SoupServer

USERS = {"pair": "secret"}


def pieces(rng: random.Random, data: bytes) -> list[bytes]:
    cuts = sorted(rng.choices(range(len(data) + 1), k=rng.randrange(6)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@settings(max_examples=1000)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.6))
def test_every_message_comes_once_in_order_however_often_the_connection_breaks(seed, breaks):
    rng = random.Random(seed)
    server, client = SoupServer("day", USERS), SoupClient("pair", "secret")
    out, sent = [], 0
    while not any(isinstance(item, SessionEnded) for item in out):
        connection = server.connection(0)
        assert connection.receive(client.connect(0), 0) == []
        while connection.is_open:
            if sent < 20:
                server.messages.append(rng.randbytes(rng.randrange(20)))
                sent += 1
            server.is_over = sent == 20
            data = connection.pull(0, most=rng.randrange(1, 5))
            if rng.random() < breaks:
                out += client.receive(data[: rng.randrange(len(data) + 1)], 0)
                break
            for piece in pieces(rng, data):
                out += client.receive(piece, 0)
            if any(isinstance(item, SessionEnded) for item in out):
                connection.receive(client.logout(), 0)
    assert [item for item in out if not isinstance(item, Accepted)] == [
        *(Message(n, message) for n, message in enumerate(server.messages, 1)),
        SessionEnded("day", 21),
    ]
    assert client.duplicates == 0


@given(st.lists(st.tuples(st.sampled_from(FromServer), st.binary(max_size=40)), max_size=20), st.integers(0, 2**32))
def test_packets_survive_any_cutting_of_the_stream(packets, seed):
    stream, rng = PacketStream(), random.Random(seed)
    data = b"".join(encode(kind, payload) for kind, payload in packets)
    found = [packet for piece in pieces(rng, data) for packet in stream.feed(piece)]
    assert found == packets
    assert stream.pending == 0


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=50), max_size=10), st.booleans())
def test_bytes_of_any_kind_never_raise(garbage, framed):
    client, connection = SoupClient("pair", "secret"), SoupServer("day", USERS).connection(0)
    for data in garbage:
        data_framed = len(data).to_bytes(2, "big") + data if framed else data
        client.receive(data_framed, 0)
        connection.receive(data_framed, 0)
        connection.pull(0)


def test_bytes_are_those_of_the_specification():
    assert encode_login("pair", "secret", "day", 7) == b"\0\x2fLpair  secret    " + b"       day" + b" " * 19 + b"7"
    assert encode_accepted("day", 12) == b"\0\x1fA       day" + b" " * 18 + b"12"
    assert encode(FromServer.SEQUENCED, b"abc") == b"\0\4Sabc"
    assert encode(FromServer.HEARTBEAT) == b"\0\1H"
    assert encode(FromClient.LOGOUT) == b"\0\1O"


@given(
    st.text("abcXYZ019", max_size=6),
    st.text("abc9", max_size=10),
    st.text("abc9", max_size=10),
    st.integers(0, 10**20 - 1),
)
def test_logins_decode_to_what_they_were_encoded_from(username, password, session, sequence):
    login = (username, password, session, sequence)
    assert decode_login(encode_login(*login)[3:]) == login
    assert decode_accepted(encode_accepted(session, sequence)[3:]) == (session, sequence)


def logged_in(sequence: int = 1, accepted: int = 1) -> SoupClient:
    client = SoupClient("pair", "secret", sequence=sequence)
    client.connect(0)
    client.receive(encode_accepted("day", accepted), 0)
    return client


def test_a_login_is_accepted_or_rejected_for_a_reason():
    server = SoupServer("day", USERS, [b"a", b"b"])
    for client, answer in [
        (SoupClient("pair", "wrong"), [Rejected("A")]),
        (SoupClient("who", "secret"), [Rejected("A")]),
        (SoupClient("pair", "secret", "night"), [Rejected("S")]),
        (SoupClient("pair", "secret", "day", 9), [Rejected("S")]),
        (SoupClient("pair", "secret", "day", 2), [Accepted("day", 2), Message(2, b"b")]),
        (SoupClient("pair", "secret", sequence=0), [Accepted("day", 3)]),
        (SoupClient("pair", "secret"), [Accepted("day", 1), Message(1, b"a"), Message(2, b"b")]),
    ]:
        connection = server.connection(0)
        connection.receive(client.connect(0), 0)
        assert client.receive(connection.pull(0), 0) == answer
        assert connection.is_open == isinstance(answer[0], Accepted)


def test_a_server_that_begins_later_than_asked_lost_what_is_between():
    client = SoupClient("pair", "secret", sequence=3)
    client.connect(0)
    assert client.receive(encode_accepted("day", 6), 0) == [Accepted("day", 6), Lost(3, 5)]
    assert client.receive(encode(FromServer.SEQUENCED, b"f"), 0) == [Message(6, b"f")]


def test_what_a_server_repeats_is_not_passed_on_again():
    client = logged_in(sequence=2, accepted=1)
    repeated = encode(FromServer.SEQUENCED, b"a") + encode(FromServer.SEQUENCED, b"b")
    assert client.receive(repeated, 0) == [Message(2, b"b")]
    assert client.duplicates == 1


def test_another_session_than_the_one_to_resume_is_refused():
    client = logged_in()
    client.connect(0)
    payload = encode_accepted("night", 1)[3:]
    assert client.receive(encode_accepted("night", 1), 0) == [Refused("session: expected 'day', came 'night'", payload)]
    (refused,) = client.receive(encode(FromServer.SEQUENCED, b"x"), 0)
    assert refused == Refused("type: expected one that a server sends to who is not logged in, came 'S'", b"x")


def test_what_is_no_packet_is_refused_and_the_stream_goes_on():
    client = logged_in()
    found = client.receive(b"\0\0" + b"\0\1?" + b"\0\2Hx" + encode(FromServer.SEQUENCED, b"a"), 0)
    assert [item.reason for item in found[:3]] == [
        "packet: expected a type, came 0 bytes",
        "type: expected one that a server sends to who is logged in, came '?'",
        "type: expected one that a server sends to who is logged in, came 'H'",
    ]
    assert found[3:] == [Message(1, b"a")]
    assert decode_login(b"x") == Refused("login: expected 46 bytes, came 1", b"x")
    assert decode_accepted(bytes(30)) == Refused(f"sequence number: expected digits, came {bytes(20)!r}", bytes(30))


def test_both_sides_show_that_they_live_and_notice_silence():
    client, server = logged_in(), SoupServer("day", USERS)
    assert client.heartbeat(HEARTBEAT_NS - 1) == b""
    assert client.heartbeat(HEARTBEAT_NS) == b"\0\1R"
    client.send(b"x", 2 * HEARTBEAT_NS - 1)
    assert client.heartbeat(2 * HEARTBEAT_NS) == b""
    connection = server.connection(0)
    connection.receive(client.connect(0), 0)
    assert len(connection.pull(0)) == 33
    assert connection.pull(HEARTBEAT_NS - 1) == b""
    assert connection.pull(HEARTBEAT_NS) == b"\0\1H"
    assert (client.is_silent(SILENCE_NS - 1), client.is_silent(SILENCE_NS)) == (False, True)
    connection.pull(SILENCE_NS)
    assert not connection.is_open


def test_unsequenced_messages_and_debug_text_go_both_ways():
    client, connection = logged_in(), SoupServer("day", USERS).connection(0)
    assert client.receive(encode(FromServer.UNSEQUENCED, b"u") + encode(FromServer.DEBUG, b"d"), 0) == [
        Unsequenced(b"u"),
        Debug(b"d"),
    ]
    connection.receive(client.connect(0), 0)
    assert connection.receive(client.send(b"order", 0) + encode(FromClient.DEBUG, b"d"), 0) == [
        Unsequenced(b"order"),
        Debug(b"d"),
    ]
    connection.receive(client.logout(), 0)
    assert not connection.is_open


def test_what_a_field_cannot_hold_is_an_error_of_the_caller():
    with pytest.raises(ValueError, match="at most 6 fit"):
        encode_login("too long", "", "", 0)
    with pytest.raises(ValueError, match="-1 is not a sequence number"):
        encode_accepted("day", -1)
    with pytest.raises(ValueError, match="at most 65534 do"):
        encode(FromClient.UNSEQUENCED, bytes(65_535))
