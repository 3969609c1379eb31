"""Our messages against real ones: what NASDAQ sent, taken apart and written again, is what NASDAQ sent."""

import numpy as np
import pytest

from operators.simulator import itch
from tests.operators.simulator.replay import LAYOUTS, SIZES, fields, messages

CAPTURES = "itch/pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822"
MESSAGE_OFFSET = 24 + 16 + 66  # file header, packet header, Ethernet with VLAN, IP, UDP, MoldUDP64


def captured(data_path, name):
    packet = (data_path / CAPTURES / f"{name}.pcap").read_bytes()[MESSAGE_OFFSET:]
    return packet[2 : 2 + int.from_bytes(packet[:2], "big")]


def written(put, *arguments):
    """The message a kernel wrote, after a byte it must leave alone."""
    out = np.full(64, 0xAA, np.uint8)
    end = put(out, 1, *arguments)
    assert out[0] == 0xAA
    assert (out[end:] == 0xAA).all()
    assert int.from_bytes(out[1:3].tobytes(), "big") == end - 3
    return out[3:end].tobytes()


def header(message):
    return int.from_bytes(message[1:3], "big"), int.from_bytes(message[5:11], "big")


def untracked(message):
    """The message with tracking number 0."""
    return message[:3] + b"\0\0" + message[5:]


def number(text):
    return int.from_bytes(text, "big")


def test_add(data_path):
    real = captured(data_path, "AddOrderNoMPID")
    ref, side, qty, stock, price = fields(real)
    told = written(itch.put_add, *header(real), ref, b"BS".index(side), qty, number(stock), price // 100, -1)
    assert told == untracked(real)


def test_add_with_mpid(data_path):
    real = captured(data_path, "AddOrderWithMPID")
    ref, side, qty, stock, price, mpid = fields(real)
    told = written(itch.put_add, *header(real), ref, b"BS".index(side), qty, number(stock), price // 100, 2)
    assert mpid.isalpha()
    assert told == untracked(real)[:-4] + itch.MPIDS[2]


def test_executed(data_path):
    real = captured(data_path, "OrderExecuted")
    assert written(itch.put_executed, *header(real), *fields(real)) == untracked(real)


def test_executed_with_price(data_path):
    real = captured(data_path, "OrderExecutedWithPrice")
    ref, qty, match, printable, price = fields(real)
    told = written(itch.put_executed_with_price, *header(real), ref, qty, match, price // 100)
    assert printable == b"N"
    assert told == untracked(real)[:31] + b"Y" + real[32:]


def test_cancel(data_path):
    real = captured(data_path, "OrderCancel")
    assert written(itch.put_cancel, *header(real), *fields(real)) == untracked(real)


def test_delete(data_path):
    real = captured(data_path, "OrderDelete")
    assert written(itch.put_delete, *header(real), *fields(real)) == untracked(real)


def test_replace(data_path):
    real = captured(data_path, "OrderReplace")
    ref, ref_new, qty, price = fields(real)
    assert written(itch.put_replace, *header(real), ref, ref_new, qty, price // 100) == untracked(real)


def test_trade(data_path):
    real = captured(data_path, "NonCrossTrade")
    ref, side, qty, stock, price, match = fields(real)
    assert (ref, side) == (0, b"B")
    assert written(itch.put_trade, *header(real), qty, number(stock), price // 100, match) == untracked(real)


def test_system_event(data_path):
    real = captured(data_path, "SystemEvent")
    assert itch.system_event(header(real)[1], b"Q")[2:] == untracked(real)


@pytest.fixture(scope="module")
def directory(data_path):
    """The start of a real day: every stock's directory entry and trading action."""
    capture = (data_path / "itch/nasdaq_real_first_1MiB.itch50").read_bytes()
    found = {"R": [], "H": []}
    at = 0
    while at + 2 + number(capture[at : at + 2]) <= len(capture):
        size = number(capture[at : at + 2])
        message = capture[at + 2 : at + 2 + size]
        found.get(chr(message[0]), []).append(message)
        at += 2 + size
    return found


def test_directory_entries_say_what_real_ones_say(directory):
    ours = fields(itch.stock_directory(1, 5, "AAA")[2:])
    for value, seen in zip(ours[1:], list(zip(*map(fields, directory["R"]), strict=True))[1:], strict=True):
        assert value in seen


def test_trading_action(directory):
    real = directory["H"][0]
    stock = fields(real)[0].decode().rstrip()
    assert itch.trading_action(*header(real), stock)[2:] == untracked(real)


def test_lengths_are_those_of_the_specification():
    told = itch.system_event(0, b"O") + itch.stock_directory(1, 0, "AAA") + itch.trading_action(1, 0, "AAA")
    assert [(chr(m[0]), len(m)) for m in messages(told)] == [("S", 12), ("R", 39), ("H", 25)]
    assert max(SIZES.values()) + 2 == itch.LONGEST
    assert SIZES.keys() == LAYOUTS.keys()


def test_the_largest_values_fit_their_fields():
    far = 2**48 - 1
    told = written(itch.put_replace, 65535, far, 2**63 - 1, 2**62, 2**32 - 1, (2**32 - 1) // 100)
    assert header(told) == (65535, far)
    assert fields(told) == (2**63 - 1, 2**62, 2**32 - 1, (2**32 - 1) // 100 * 100)
