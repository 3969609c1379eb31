"""LOBSTER's two files as one input log."""

import gzip

import pytest

from operators.sources.feed import feed_config
from schemas.errors import CaptureError
from tests.operators.sources import log
from tests.operators.sources.test_table_capture import zipped

MIDNIGHT_NS = 1_340_251_200 * 10**9
"""2012-06-21 00:00 in New York is 04:00 UTC."""
MESSAGES = b"34200.017459617,5,0,1,2238200,-1\n34200.189607670,1,11885113,21,2238100,1\r\nx,1,2,3,4,5\n34199,1,1,1,1,1"
BOOKS = b"1,2,3,4\n5,6,7,8\r\n\n9,10,11,12\n13,14,15,16\n"
MESSAGE_FILE, BOOK_FILE = "A_2012-06-21_message_1.csv", "A_2012-06-21_orderbook_1.csv"


def feed(path, **other):
    config = {"id": "f", "format": "lobster", "path": path.name, "instruments": ["A"], "date": "2012-06-21"}
    return feed_config(**config | {"timezone": "America/New_York"} | other), path


def messages(configured):
    """(clock, time in the message, message, book) since midnight."""
    found = []
    for _, ts, _, _, message in log.read_all([configured])[:-1]:
        told, _, book = message[8:].partition(b"\n")
        found.append((ts - MIDNIGHT_NS, int.from_bytes(message[:8], "little") - MIDNIGHT_NS, told, book))
    return found


def expected(delay=0):
    first, second = 34_200_017_459_617, 34_200_189_607_670
    told = MESSAGES.replace(b"\r", b"").split(b"\n")
    books = BOOKS.replace(b"\r", b"").replace(b"\n\n", b"\n").split(b"\n")
    return [(t + delay, t, m, b) for t, m, b in zip((first, second, second, second), told, books[:4], strict=True)]


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_each_message_stands_with_the_book_it_leads_to(tmp_path, suffix):
    pack = gzip.compress if suffix else bytes
    (tmp_path / (MESSAGE_FILE + suffix)).write_bytes(pack(MESSAGES))
    (tmp_path / (BOOK_FILE + suffix)).write_bytes(pack(BOOKS))
    assert messages(feed(tmp_path / (MESSAGE_FILE + suffix))) == expected()


def test_both_in_a_zip_and_a_delay(tmp_path):
    content = {MESSAGE_FILE: MESSAGES, BOOK_FILE: BOOKS, "ReadMe.txt": b"!"}
    (tmp_path / "day.zip").write_bytes(zipped(**content))
    assert messages(feed(tmp_path / "day.zip", delay="5us")) == expected(5_000)


def test_rows_of_one_file_alone_are_passed_on(tmp_path):
    (tmp_path / MESSAGE_FILE).write_bytes(b"34200,1,1,1,1,1\n34201,2,2,2,2,1\n")
    (tmp_path / BOOK_FILE).write_bytes(b"1,2,3,4\n")
    assert [m[2:] for m in messages(feed(tmp_path / MESSAGE_FILE))] == [
        (b"34200,1,1,1,1,1", b"1,2,3,4"),
        (b"34201,2,2,2,2,1", b""),
    ]
    (tmp_path / BOOK_FILE).write_bytes(b"1,2,3,4\n5,6,7,8\n9,9,9,9\n")
    assert [m[2:] for m in messages(feed(tmp_path / MESSAGE_FILE))][2] == (b"", b"9,9,9,9")


def test_files_that_are_not_there_are_told(tmp_path):
    (tmp_path / MESSAGE_FILE).write_bytes(MESSAGES)
    with pytest.raises(CaptureError, match=r"cannot read .*orderbook_1.csv"):
        messages(feed(tmp_path / MESSAGE_FILE))
    with pytest.raises(CaptureError, match="expected a zip, or a file with '_message_' in its name"):
        messages(feed(tmp_path / BOOK_FILE))
    (tmp_path / "day.zip").write_bytes(zipped(**{MESSAGE_FILE: MESSAGES}))
    with pytest.raises(CaptureError, match="expected a name with '_orderbook_' in the zip, found 0"):
        messages(feed(tmp_path / "day.zip"))
