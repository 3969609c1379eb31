import pytest
from pydantic import ValidationError

from operators.sources.feed import FeedConfig
from tests.operators.sources.log import ITCH, MIDNIGHT_NS


def feed(**settings):
    return FeedConfig.model_validate({"id": "f", "format": "recording", "path": "f.gz", **settings})


def test_a_recording_needs_no_more_than_a_path():
    assert feed().origin_ns == 0
    assert feed().instruments == ()


def test_itch_counts_from_midnight_in_the_sessions_timezone_plus_delay():
    assert feed(**ITCH).origin_ns == MIDNIGHT_NS
    assert feed(**ITCH, delay="250us").origin_ns == MIDNIGHT_NS + 250_000
    assert feed(**ITCH | {"date": "2019-07-01"}).origin_ns % (86_400 * 10**9) == 4 * 3600 * 10**9  # summer time


def test_configurations_are_frozen_and_survive_json():
    config = feed(**ITCH, delay="1ms", instruments=["A", "B"])
    with pytest.raises(ValidationError, match="frozen"):
        config.id = "g"
    assert FeedConfig.model_validate_json(config.model_dump_json()) == config


def test_a_capture_of_packets_may_have_a_second_line():
    config = feed(format="mold_pcap", path_b="b.pcap", port=26477, patience="50ms")
    assert (config.path_b, config.port, config.patience, config.origin_ns) == ("b.pcap", 26477, 50_000_000, 0)
    assert FeedConfig.model_validate_json(feed(format="mold_pcap").model_dump_json()).patience == 100_000_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "itch50"}, "no date and no timezone: itch50 counts time from the session's midnight"),
        ({"format": "itch50", "date": "2019-12-30"}, "no timezone"),
        ({"format": "pcap"}, "'itch50', 'recording', 'session', 'mold_pcap', 'journal'"),
        ({"timezone": "America/New_Work", "format": "itch50", "date": "2019-12-30"}, "is not a timezone"),
        ({"timezone": "../etc/passwd"}, "is not a timezone"),
        ({"delay": "1ms"}, "records the receive time of every message; remove 'delay'"),
        ({"date": "2019-12-30"}, "remove 'date'"),
        ({"timezone": "UTC"}, "remove 'timezone'"),
        ({**ITCH, "delay": -1}, "greater than or equal to 0"),
        ({**ITCH, "delay": "soon"}, "is not a duration"),
        ({"instruments": ["A", "B", "A"]}, "'A' is listed twice"),
        ({"path_b": "b.pcap"}, "is no capture of packets; remove 'path_b', or use mold_pcap"),
        ({"port": 26477}, "remove 'port'"),
        ({**ITCH, "patience": "1s"}, "remove 'patience'"),
        ({"format": "mold_pcap", "port": 70_000}, "less than or equal to 65535"),
        ({"format": "mold_pcap", "patience": "0s"}, "greater than 0"),
        ({"format": "mold_pcap", "delay": "1s"}, "remove 'delay'"),
        ({"path": ""}, "has no path; add the capture's file"),
        ({"format": "session"}, "has no connection: a session holds several"),
        ({"connection": "A"}, "is of one connection alone; remove 'connection'"),
        ({"format": "session", "connection": ""}, "at least 1 character"),
        ({"format": "session", "connection": "A", "delay": "1ms"}, "remove 'delay'"),
        ({"id": ""}, "at least 1 character"),
        ({"speed": 3}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_do(settings, message):
    with pytest.raises(ValidationError, match=message):
        feed(**settings)
