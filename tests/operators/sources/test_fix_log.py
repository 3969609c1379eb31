"""FIX messages found in logs, whatever the lines look like, and what clock they get."""

import random
import re
from datetime import UTC, datetime

import pytest

from operators.framing.fix_message import decode, encode
from operators.framing.refused import Refused
from operators.sources import captures
from operators.sources.desk_input import DeskInput
from operators.sources.feed import feed_config
from tests.operators.sources.log import read_all

S = 10**9
SENT = 1_322_112_811 * S + 763_000_000
"""2011-11-24 05:33:31.763."""


def message(number, time="20111124-05:33:31.763", **fields):
    head = [("35", "0"), ("34", number), ("52", time)]
    return encode("FIX.4.4", [*head, *((tag.strip("_"), value) for tag, value in fields.items())])


def log(tmp_path, content, name="fix.log", **settings):
    path = tmp_path / name
    path.write_bytes(content)
    return feed_config(id="fix", format="fix_log", path=name, **settings), path


def found(tmp_path, content, **settings):
    """(clock, message) of what is found."""
    return [(entry[1], entry[4]) for entry in read_all([log(tmp_path, content, **settings)])[:-1]]


@pytest.mark.parametrize(
    ("prefix", "seconds"),
    [
        (b"20111124-06:00:00.5 : ", 1_322_114_400.5),
        (b"<20111124-06:00:00, FIX.4.4:A->B, incoming> (", 1_322_114_400),
        (b"2011-11-24 06:00:00,250 INFO in ", 1_322_114_400.25),
        (b"[2011-11-24T06:00:00.000000125Z] ", 1_322_114_400.000000125),
        (b"1322114400 ", 1_322_114_400),
        (b"1322114400500 ", 1_322_114_400.5),
        (b"1322114400500000\t", 1_322_114_400.5),
        (b"1322114400500000000 ", 1_322_114_400.5),
    ],
)
def test_the_clock_is_the_one_of_the_line(tmp_path, prefix, seconds):
    content = prefix + message(1) + b")\n" + prefix + message(2) + b"\r\n"
    clock = int(seconds) * S + round(seconds % 1 * S) if seconds % 1 != 0.000000125 else int(seconds) * S + 125
    clock = 1_322_114_400 * S + 125 if b"125Z" in prefix else clock
    assert found(tmp_path, content, delay="5ms") == [(clock, message(1)), (clock, message(2))]


@pytest.mark.parametrize(
    "prefix",
    [b"", b"in: ", b"2011-13-24 06:00:00 ", b"20111124 ", b"05:33:31 ", b"13221144005 ", b"2011-11-24 25:00:00 "],
)
def test_without_one_it_is_the_sending_time_and_the_delay(tmp_path, prefix):
    content = prefix + message(1) + message(2, "20111124-05:33:31.764123") + b"\n"
    later = SENT + 1_123_000
    assert found(tmp_path, content, delay="5ms") == [
        (SENT + 5_000_000, message(1)), (later + 5_000_000, message(2, "20111124-05:33:31.764123")),
    ]  # fmt: skip


def test_the_clock_never_runs_backwards_and_is_that_before_where_there_is_none(tmp_path):
    content = [message(1), message(2, "20111124-05:33:30"), message(3, "yesterday"), message(4, "20111124-05:33:32")]
    clocks = [clock for clock, _ in found(tmp_path, b"".join(content))]
    assert clocks == [SENT, SENT, SENT, 1_322_112_812 * S]


def test_dates_are_those_of_the_calendar(tmp_path):
    rng = random.Random(3)
    times = sorted(rng.randrange(0, 9 * 10**9) for _ in range(400))
    texts = [f"{datetime.fromtimestamp(t, UTC):%Y%m%d-%H:%M:%S}" for t in times]
    assert [clock // S for clock, _ in found(tmp_path, b"".join(message(1, text) for text in texts))] == times


def test_bars_stand_for_soh_and_the_last_may_be_missing(tmp_path):
    one, two = (message(n).replace(b"\x01", b"|") for n in (1, 2))
    assert found(tmp_path, b"a | b " + one + b"\n x: " + two[:-1] + b"\n") == [(SENT, one), (SENT, two[:-1])]


def test_what_is_left_of_a_message_is_passed_on_and_text_is_not(tmp_path):
    damaged = message(2).replace(b"8=FIX", b"8=FOX")
    content = b"logged on\n" + message(1) + b"\nsome | text\n" + damaged + b"\nmore\n" + message(3) + b"\nbye"
    assert [m for _, m in found(tmp_path, content)] == [message(1), b"\nsome | text\n" + damaged, message(3)]


def test_a_wrong_length_costs_one_message_alone(tmp_path):
    wrong = message(2).replace(b"\x019=", b"\x019=1")
    assert [m for _, m in found(tmp_path, message(1) + wrong + message(3))] == [message(1), wrong, message(3)]
    cut = message(2)[:30]
    assert [m for _, m in found(tmp_path, message(1) + cut + message(3) + cut)] == [message(1), cut, message(3), cut]
    lines = message(1) + b"\n" + cut + b"\n" + message(3) + b"\n"
    assert [m for _, m in found(tmp_path, lines)] == [message(1), cut, message(3)]


def test_a_log_of_nothing_but_text_has_no_messages(tmp_path):
    assert found(tmp_path, b"nothing\nto\nsee") == []
    assert found(tmp_path, b"") == []


@pytest.mark.parametrize("seed", range(6))
def test_blocks_frames_and_resumption_change_nothing(tmp_path, monkeypatch, seed):
    rng, parts = random.Random(seed), []
    for number in range(1, 300):
        time = f"20111124-05:{number // 60:02d}:{number % 60:02d}"
        data = bytearray(message(number, time, _58="x" * rng.randrange(1, 60)))
        if rng.random() < 0.2:
            data[rng.randrange(len(data))] = rng.choice(b"8=FIX\x01\n01|")
        parts += [rng.choice([b"", b"20111124-06:00:00 : ", b"text\n", b"\n"]), data, rng.choice([b"", b"\n"])]
    config = log(tmp_path, b"".join(parts))
    whole = read_all([config])
    readable = [m for m in whole if not isinstance(decode(m[4]), Refused)]
    assert len(readable) > 200
    monkeypatch.setattr(captures, "BLOCK_BYTES", rng.randrange(300, 2000))
    assert read_all([config], frame=rng.randrange(1, 50)) == whole
    source, position, seen = DeskInput([config], 7, None), None, []
    for _ in range(20):
        frame = source.next()
        seen += [frame.message(i) for i in range(len(frame.rows))]
        position = source.snapshot()
    source.close()
    assert seen == [m[4] for m in whole[: len(seen)]]
    assert read_all([config], 1000, position) == whole[len(seen) :]


def test_the_messages_of_the_jse_are_all_found(tmp_path, data_path):
    path = data_path / "fix" / "jse_market_data_fixt11_2011-11-24.log"
    config = feed_config(id="jse", format="fix_log", path=path.name)
    log_of_jse = read_all([(config, path)])[:-1]
    content = path.read_bytes()
    assert [m[4] for m in log_of_jse] == re.findall(rb"8=FIXT.1.1\x01.*?\x0110=\d{3}\x01", content)
    assert b"".join(m[4] for m in log_of_jse) == content
    assert log_of_jse[0][1] == SENT
