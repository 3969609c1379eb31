import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.framing.mold_packet import Packet, Request, decode_packet, encode_request
from operators.framing.mold_sender import MoldSender
from operators.framing.refused import Refused


@given(st.lists(st.lists(st.binary(max_size=50), max_size=30), max_size=5), st.integers(22, 120))
def test_messages_are_packed_in_order_into_as_few_packets_as_hold_them(batches, payload_max):
    sender, found = MoldSender(b"S", payload_max), []
    for batch in batches:
        packets = sender.send(batch)
        decoded = [decode_packet(data) for data in packets]
        for data, packet, behind in zip(packets, decoded, [*decoded[1:], None], strict=False):
            assert packet.sequence == 1 + len(found)
            assert len(data) <= payload_max or len(packet.messages) == 1
            assert behind is None or len(data) + 2 + len(behind.messages[0]) > payload_max
            found += packet.messages
    assert found == [message for batch in batches for message in batch]
    assert sender.sequence == 1 + len(found)


def test_a_reply_has_what_fits_into_a_packet_from_the_first_message_asked_for():
    sender = MoldSender(b"S", payload_max=30)
    sender.send([b"one", b"two", b"three"])
    assert decode_packet(sender.reply(encode_request(Request(b"S", 2, 1)))) == Packet(b"S         ", 2, [b"two"])
    assert decode_packet(sender.reply(encode_request(Request(b"S", 1, 3)))).messages == [b"one", b"two"]
    assert decode_packet(sender.reply(encode_request(Request(b"S", 3, 60_000)))).messages == [b"three"]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Request(b"T", 2, 1), r"session: expected b'S         ', came b'T         '"),
        (Request(b"S", 1, 1), "sequence number: expected 2 to 3, came 1"),
        (Request(b"S", 4, 1), "sequence number: expected 2 to 3, came 4"),
    ],
)
def test_what_it_does_not_keep_is_refused(request_, reason):
    sender = MoldSender(b"S", kept_max=2)
    sender.send([b"one", b"two", b"three"])
    data = encode_request(request_)
    assert sender.reply(data) == Refused(reason, data)
    assert sender.reply(b"?") == Refused("request: expected 20 bytes, came 1", b"?")


def test_heartbeats_and_the_end_tell_the_next_number():
    sender = MoldSender(b"S")
    sender.send([b"one"])
    assert decode_packet(sender.heartbeat()) == Packet(b"S         ", 2, [])
    assert decode_packet(sender.end()) == Packet(b"S         ", 2, (), is_end=True)
