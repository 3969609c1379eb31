"""FIX sessions: what is said when, and both sides of a session that loses its connections."""

import random

import pytest

from operators.framing.fix_output import Ended, Heard, LoggedOn, Sent, Skipped
from operators.framing.fix_session import FixSession
from operators.framing.fix_terms import FixTerms
from operators.framing.refused import Refused
from tests.operators.framing.fix_talk import (
    DESK,
    NOW,
    VENUE,
    S,
    fields_of,
    from_venue,
    logon,
    on,
    queued,
    told,
)  # fmt: skip


def test_the_initiator_logs_on_and_says_who_it_is():
    session = FixSession(DESK)
    (sent,) = session.connect(NOW)
    (said,) = queued(session)
    assert said == {
        "8": "FIXT.1.1", "35": "A", "49": "DESK", "56": "VENUE", "34": "1", "52": "20231114-22:13:20.000",
        "98": "0", "108": "30", "553": "me", "554": "secret", "1137": "9",
    }  # fmt: skip
    assert b"secret" not in sent.data
    assert told(session.receive(logon(), NOW)) == [1, "LoggedOn"]
    assert session.is_on


def test_fix_44_says_no_version_of_applications():
    session = FixSession(FixTerms("DESK", "VENUE", "FIX.4.4"))
    session.connect(NOW)
    assert queued(session)[0].keys() == {"8", "35", "49", "56", "34", "52", "98", "108"}


def test_numbers_go_on_over_connections_unless_they_are_to_begin_again():
    session = on()
    session.receive(from_venue(2, "0"), NOW)
    session.connect(NOW)
    assert (queued(session)[0]["34"], session.incoming.number) == ("2", 3)
    session = on(resets=True)
    session.receive(from_venue(2, "0"), NOW)
    session.connect(NOW)
    (said,) = queued(session)
    assert (said["34"], said["141"], session.incoming.number) == ("1", "Y", 1)
    assert told(session.receive(logon(1, ("141", "Y")), NOW)) == [1, "LoggedOn"]
    assert (session.incoming.number, session.outgoing.number) == (2, 2)


def test_a_venue_that_begins_again_at_its_logon_is_followed():
    session = FixSession(DESK)
    session.outgoing.number, session.incoming.number = 50, 60
    session.connect(NOW)
    assert told(session.receive(logon(1, ("141", "Y")), NOW)) == [1, "LoggedOn"]
    assert (session.incoming.number, session.outgoing.number) == (2, 2)
    assert told(session.receive(logon(1, ("141", "Y")), NOW)) == [("A", 1), "LoggedOn", 1]
    assert (session.incoming.number, session.outgoing.number) == (2, 2)


def test_silence_is_broken_by_heartbeats_then_a_test_then_the_connection():
    session = on()
    assert session.tick(NOW + 29 * S) == []
    assert told(session.tick(NOW + 30 * S)) == [("0", 2)]
    assert told(session.tick(NOW + 36 * S)) == [("1", 3)]
    assert session.tick(NOW + 37 * S) == []
    test = queued(session)[1]
    session.receive(from_venue(2, "0", ("112", test["112"])), NOW + 40 * S)
    assert told(session.tick(NOW + 75 * S)) == [("0", 4)]
    assert told(session.tick(NOW + 76 * S)) == [("1", 5)]
    assert told(session.tick(NOW + 40 * S + 72 * S)) == ["nothing was heard for too long"]
    assert not session.is_on


def test_a_test_request_is_answered_with_its_id():
    session = on()
    assert told(session.receive(from_venue(2, "1", ("112", "are you there")), NOW)) == [2, ("0", 2)]
    assert queued(session)[0]["112"] == "are you there"


def test_what_is_missing_is_asked_for_once_and_told_in_order():
    session = on()
    assert told(session.receive(from_venue(4, "X"), NOW)) == [("2", 2)]
    asked = queued(session)[0]
    assert (asked["7"], asked["16"]) == ("2", "3")
    assert session.receive(from_venue(5, "X"), NOW) == []
    again = {"43": "Y", "122": "20231114-22:13:19.000"}
    assert told(session.receive(from_venue(2, "X", **again), NOW)) == [2]
    assert told(session.receive(from_venue(3, "X", **again), NOW)) == [3, 4, 5]
    assert session.receive(from_venue(4, "X", **again), NOW) == []
    assert session.incoming.duplicates == 1
    assert told(session.receive(from_venue(6, "0"), NOW)) == [6]


def test_what_does_not_come_is_asked_for_again():
    session = on()
    session.receive(from_venue(3, "X"), NOW)
    session.pull()
    session.receive(from_venue(4, "X"), NOW + 29 * S)
    assert ("2", 4) in told(session.tick(NOW + 30 * S)) + told(session.tick(NOW + 31 * S))
    assert [m["7"] for m in queued(session) if m["35"] == "2"] == ["2"]


def test_a_second_gap_behind_the_first_is_asked_for_too():
    session = on()
    session.receive(from_venue(3, "X"), NOW)
    session.receive(from_venue(6, "X"), NOW)
    assert told(session.receive(from_venue(2, "X"), NOW)) == [2, 3, ("2", 3)]
    assert [(m["7"], m["16"]) for m in queued(session)] == [("2", "2"), ("4", "5")]


def test_a_gap_fill_stands_for_what_will_not_come():
    session = on()
    session.receive(from_venue(9, "X"), NOW)
    fill = from_venue(2, "4", ("123", "Y"), ("36", 9), **{"43": "Y"})
    assert told(session.receive(fill, NOW)) == [2, (2, 8), 9]
    assert session.incoming.number == 10


def test_a_sequence_reset_counts_whatever_its_own_number_is():
    session = on()
    reset = from_venue(77, "4", ("36", 40))
    assert told(session.receive(reset, NOW)) == [77, (2, 39)]
    assert told(session.receive(from_venue(40, "0"), NOW)) == [40]
    assert told(session.receive(from_venue(41, "4", ("36", 5)), NOW)) == [("3", 2)]
    assert queued(session)[0]["371"] == "36"


def test_a_gap_fill_of_one_message_passes_over_one():
    session = on()
    assert told(session.receive(from_venue(2, "4", ("123", "Y"), ("36", 3)), NOW)) == [2, (2, 2)]
    assert told(session.receive(from_venue(3, "4", ("123", "Y"), ("36", 3)), NOW)) == [3, ("3", 2)]
    assert session.incoming.number == 4


def test_a_sequence_reset_makes_what_came_before_its_turn_due():
    session = on()
    session.receive(from_venue(8, "X") + from_venue(9, "X"), NOW)
    assert told(session.receive(from_venue(10, "4", ("36", 8)), NOW)) == [10, (2, 7), 8, 9]


def test_a_number_that_was_there_ends_it_unless_it_is_said_to_come_again():
    session = on()
    assert session.receive(from_venue(1, "X", **{"43": "Y"}), NOW) == []
    text = "MsgSeqNum too low, expecting 2 but received 1"
    assert told(session.receive(from_venue(1, "X"), NOW)) == [text, ("5", 2), text]
    assert queued(session)[0]["58"] == text
    assert session.receive(from_venue(2, "X"), NOW) == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (from_venue(2, "X", **{"49": "OTHER"}), "session: expected FIXT.1.1 VENUE DESK, came FIXT.1.1 OTHER DESK"),
        (from_venue(2, "X", **{"34": "x"}), "MsgSeqNum"),
        (from_venue(2, "X").replace(b"FIXT.1.1", b"FIXT.1.2"), None),
    ],
)
def test_what_is_not_of_the_session_ends_it(message, reason):
    session = on()
    out = session.receive(message, NOW)
    if reason is None:  # the checksum is wrong, so that nothing of it counts
        assert told(out) == [r for r in told(out) if str(r).startswith("CheckSum")]
        assert session.is_on
    else:
        assert isinstance(out[0], Refused)
        assert reason in out[0].reason
        assert isinstance(out[-1], Ended)


def test_what_is_damaged_is_refused_and_asked_for_when_the_next_comes():
    session = on()
    damaged = bytearray(from_venue(2, "X"))
    damaged[-20] ^= 1
    out = session.receive(b"noise" + bytes(damaged) + from_venue(3, "X"), NOW)
    assert [type(item) for item in out] == [Refused, Refused, Sent]
    assert [item.data for item in out[:2]] == [b"noise", bytes(damaged)]
    assert queued(session)[0]["35"] == "2"


def test_a_venue_that_logs_out_is_answered():
    session = on()
    assert told(session.receive(from_venue(2, "5", ("58", "good night")), NOW)) == [2, ("5", 2), "good night"]
    assert queued(session)[0]["35"] == "5"


def test_a_logout_of_ours_waits_for_the_answer():
    session = on()
    assert told(session.logout(NOW, "enough")) == [("5", 2)]
    assert not session.is_on
    assert session.receive(from_venue(2, "5"), NOW)[-1] == Ended("logged out", True)
    session = on()
    session.logout(NOW)
    assert told(session.tick(NOW + 10 * S)) == ["no answer came while logged out"]


def test_a_logon_that_is_refused_or_never_answered_is_no_session():
    session = FixSession(DESK)
    session.connect(NOW)
    out = session.receive(from_venue(1, "5", ("58", "who are you")), NOW)
    assert out[-1] == Ended("who are you", False)
    session.connect(NOW)
    assert told(session.tick(NOW + 10 * S)) == ["no answer came while not logged on"]
    session.connect(NOW)
    assert "expected a logon first" in told(session.receive(from_venue(2, "X"), NOW))[0]


def test_the_acceptor_lets_in_whom_it_knows():
    venue, desk = FixSession(VENUE, is_initiator=False), FixSession(DESK)
    assert venue.connect(NOW) == []
    desk.connect(NOW)
    assert told(venue.receive(desk.pull(), NOW)) == [1, ("A", 1), "LoggedOn"]
    assert told(desk.receive(venue.pull(), NOW)) == [1, "LoggedOn"]
    other = FixSession(FixTerms("DESK", "VENUE", username="me", password="wrong"))
    other.connect(NOW)
    venue = FixSession(VENUE, is_initiator=False)
    venue.connect(NOW)
    assert told(venue.receive(other.pull(), NOW)) == [1, ("5", 1), "not authorised"]
    assert other.receive(venue.pull(), NOW)[-1] == Ended("not authorised", False)


def test_a_record_is_followed_though_what_was_refused_is_in_it():
    session, record = on(), []
    for message in (from_venue(2, "X"), from_venue(3, "4", ("123", "Y"), ("36", 9)), from_venue(9, "4", ("36", 30))):
        record += session.receive(message, NOW)
    record += session.receive(from_venue(7, "X"), NOW)
    again = on()
    for item in record:
        if not isinstance(item, Ended | Skipped):
            again.follow(item.data, isinstance(item, Sent))
    assert again.incoming.number == session.incoming.number == 30
    assert again.outgoing.number == session.outgoing.number
    again.follow(from_venue(30, "4", ("123", "Y"), ("36", "x")), was_sent=False)
    assert again.incoming.number == 31


def test_nothing_is_sent_while_not_logged_on():
    with pytest.raises(ValueError, match="not connected"):
        FixSession(DESK).send("V", [("262", "1")], NOW)


def test_messages_are_sent_again_and_gap_fills_stand_for_the_rest():
    venue, desk = FixSession(VENUE, False, resent={"X"}), FixSession(DESK)
    venue.connect(NOW)
    desk.connect(NOW)
    venue.receive(desk.pull(), NOW)
    for kind, text in (("X", "a"), ("B", "b"), ("X", "c"), ("0", "d")):
        venue.send(kind, [("58", text)], NOW + 1)
    desk.receive(venue.pull(), NOW)
    venue.receive(desk.pull(), NOW)
    venue.outgoing.resend(1, 5, NOW + S)
    again = queued(venue)
    assert [tuple(m.get(tag) for tag in ("34", "35", "36", "58")) for m in again] == [
        ("1", "4", "2", None),
        ("2", "X", None, "a"),
        ("3", "4", "4", None),
        ("4", "X", None, "c"),
        ("5", "4", "6", None),
    ]
    assert {m["43"] for m in again} == {"Y"}
    assert again[1]["122"] == "20231114-22:13:20.000"


def test_a_resend_request_that_makes_no_sense_is_rejected():
    session = on()
    assert told(session.receive(from_venue(2, "2", ("7", 0), ("16", 0)), NOW)) == [2, ("3", 2)]
    assert told(session.receive(from_venue(3, "2", ("7", 1), ("16", "x")), NOW)) == [3, ("3", 3)]


@pytest.mark.parametrize("is_initiator", [True, False])
def test_whatever_comes_nothing_escapes(is_initiator):
    rng = random.Random(is_initiator)
    tags = [7, 16, 34, 35, 36, 43, 45, 49, 56, 58, 98, 108, 112, 122, 123, 141, 553]
    values = [*"0123456789AYNX", "-1", "9" * 30, "VENUE", "DESK", "\xff=", "99999999"]
    ends, heard = 0, 0
    for _ in range(300):
        session = FixSession(DESK if is_initiator else VENUE, is_initiator, resent={"X"})
        session.connect(NOW)
        for number in range(1, 40):
            sides = {} if is_initiator else {"49": "DESK", "56": "VENUE"}
            kind = "A" if number == 1 else rng.choice("012345AXW")
            fields = [
                ("36", number + 3),
                ("123", "Y"),
                ("7", 1),
                ("16", 0),
                ("112", "t"),
                ("553", "me"),
                ("554", "secret"),
            ]
            if rng.random() < 0.3:
                fields += [(str(rng.choice(tags)), rng.choice(values)) for _ in range(rng.randrange(1, 3))]
                rng.shuffle(fields)
            message = bytearray(
                from_venue(max(session.incoming.number + rng.choice((0, 0, 0, 1, -1)), 1), kind, *fields, **sides)
            )
            if rng.random() < 0.1:
                message[rng.randrange(len(message))] = rng.choice(b"01|=\x01\xff")
            out = session.receive(bytes(message), NOW + number * S) + session.tick(NOW + number * S)
            if session.is_on and rng.random() < 0.2:
                session.send("X", [("58", "x")], NOW + number * S)
            queued(session)
            heard += sum(isinstance(item, Heard) for item in out)
            if any(isinstance(item, Ended) for item in out):
                ends += 1
                session.connect(NOW + number * S)
            assert session.incoming.number >= 1
    assert heard > 2000
    assert ends > 500


@pytest.mark.parametrize("seed", range(8))
def test_all_arrives_once_and_in_order_over_connections_that_break_and_sides_that_start_again(seed):
    rng = random.Random(seed)
    desk, venue = FixSession(DESK), FixSession(VENUE, False, resent={"X"})
    record, heard, sent, now = [], [], [], NOW
    while len(sent) < 300 or len(heard) < len(sent):
        venue.connect(now)
        record += desk.connect(now)
        wires = {"desk": b"", "venue": b""}
        for _ in range(rng.randrange(20, 60)):
            now += S // 10
            wires["venue"] += desk.pull()
            wires["desk"] += venue.pull()
            venue.tick(now)
            record += desk.tick(now)
            if venue.is_on and len(sent) < 300:
                sent.append(str(len(sent)))
                venue.send("X", [("58", sent[-1])], now)
            for name, side in (("desk", desk), ("venue", venue)):
                size = rng.randrange(400)
                piece, wires[name] = wires[name][:size], wires[name][size:]
                if name == "desk" and rng.random() < 0.05 and len(piece) > 3:
                    at = rng.randrange(len(piece))
                    piece = piece[:at] + b"?" + piece[at + 1 :]
                out = side.receive(piece, now)
                record += out if side is desk else []
                heard += [
                    fields_of(item.data)["58"] for item in out if isinstance(item, Heard) and item.fields[1][1] == "X"
                ]
            if desk._state.name == "CLOSED":
                break
        desk.disconnect()
        venue.disconnect()
        if rng.random() < 0.5:  # the desk starts again from what it recorded
            desk = FixSession(DESK)
            for item in record:
                if isinstance(item, Heard | Sent):
                    desk.follow(item.data, isinstance(item, Sent))
    assert heard == sent
    assert sum(isinstance(item, LoggedOn) for item in record) > 2
