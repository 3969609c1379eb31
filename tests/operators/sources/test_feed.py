import pytest
from pydantic import ValidationError

from operators.sources.feed import FeedConfig
from tests.operators.sources.log import ITCH, MIDNIGHT_NS

MOLD = {"format": "moldudp64", "path": "", "lines": ["239.255.77.1:26477", "239.255.77.2:26477"]}
SOUP = {"format": "soupbintcp", "path": "", "server": "localhost:17000", "username": "pair", "password": "secret"}


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


def test_a_live_feed_says_where_to_listen_and_keeps_its_password_to_itself():
    mold = feed(**MOLD, server="127.0.0.1:17000", patience="5s")
    assert mold.lines == (("239.255.77.1", 26477), ("239.255.77.2", 26477))
    assert mold.is_live
    assert FeedConfig.model_validate_json(mold.model_dump_json()) == mold
    soup = feed(**SOUP)
    assert soup.server == ("localhost", 17000)
    assert "secret" not in repr(soup)
    assert not feed().is_live
    assert not feed(format="journal", path="").is_live


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "itch50"}, "no date and no timezone: itch50 counts time from the session's midnight"),
        ({"format": "itch50", "date": "2019-12-30"}, "no timezone"),
        ({"format": "pcap"}, "'itch50', 'recording', 'session', 'mold_pcap', 'journal', 'moldudp64' or"),
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
        ({"path": ""}, "no path: recording is a capture; add the `path` of its file"),
        ({"format": "journal"}, "is in the desk's `journal`, and has no file of its own; remove 'path'"),
        ({"format": "moldudp64"}, "is listened to, and has no file of its own; remove 'path'"),
        ({**MOLD, "lines": []}, r"has no lines; add it, such as `lines: \[233.54.12.111:26477\]`"),
        ({**MOLD, "lines": ["233.54.12.111"]}, "is not an address; write host:port, such as 233.54.12.111:26477"),
        ({**MOLD, "lines": ["a:70000"]}, "is not an address"),
        ({**MOLD, "lines": [26477]}, "is not an address"),
        ({**MOLD, "username": "pair"}, "'username' is of soupbintcp; remove it"),
        ({**MOLD, "delay": "1ms"}, "remove 'delay'"),
        ({**MOLD, "session": "ELEVEN BYTE"}, "at most 10 characters"),
        ({**MOLD, "sequence": -1}, "greater than or equal to 0"),
        ({**SOUP, "server": None}, "has no server; add it"),
        ({**SOUP, "username": None}, "has no username; add it"),
        ({**SOUP, "password": None}, r"has no password; add it, such as `password: \$\{SOUP_PASSWORD\}`"),
        ({**SOUP, "password": "much too long"}, "at most 10 characters"),
        ({**SOUP, "lines": ["a:1"]}, "'lines' is of moldudp64; remove it"),
        ({**SOUP, "patience": "1s"}, "is no capture of packets; remove 'patience'"),
        ({"server": "a:1"}, "'server' is of moldudp64 and soupbintcp; remove it"),
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
