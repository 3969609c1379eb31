import gzip
import os
import zlib

import pytest

from operators.sources.capture_file import CaptureFile
from schemas.errors import CaptureError

CONTENT = bytes(range(256)) * 1000


def read(path, sizes=(1 << 20,)):
    """The file's content read in pieces of `sizes`, over and over."""
    file, found = CaptureFile("f", path), b""
    while True:
        for size in sizes:
            buffer = bytearray(size)
            count = file.read_into(memoryview(buffer))
            found += buffer[:count]
            if count < size:
                file.close()
                return found


@pytest.fixture
def plain(tmp_path):
    path = tmp_path / "capture"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def compressed(tmp_path):
    """Two members with the padding between and behind them that gzip allows."""
    path = tmp_path / "capture.gz"
    half = len(CONTENT) // 3
    path.write_bytes(gzip.compress(CONTENT[:half]) + bytes(70) + gzip.compress(CONTENT[half:]) + bytes(70))
    return path


@pytest.mark.parametrize("sizes", [(1 << 20,), (1, 1000, 65_536), (len(CONTENT),)])
def test_content_is_the_same_however_it_is_read(plain, compressed, sizes):
    assert read(plain, sizes) == CONTENT
    assert read(compressed, sizes) == CONTENT


@pytest.mark.parametrize("count", [0, 1, 70_000, len(CONTENT) - 1, len(CONTENT)])
def test_skipping_leads_to_the_same_byte(plain, compressed, count):
    for path in plain, compressed:
        file, buffer = CaptureFile("f", path), bytearray(10)
        file.skip(count)
        filled = file.read_into(memoryview(buffer))
        assert buffer[:filled] == CONTENT[count : count + 10]
        file.close()


def test_a_gzip_file_that_ends_early_gives_all_it_holds(compressed):
    content = os.urandom(100_000)
    whole = gzip.compress(content)
    for size in (0, 5, 50_000, len(whole) - 9, len(whole) - 1):
        compressed.write_bytes(whole[:size])
        found = read(compressed)
        assert found == zlib.decompressobj(31).decompress(whole[:size])
        assert content.startswith(found)
        assert len(found) >= size - 200


def test_empty_files_are_empty(tmp_path):
    for name in ("empty", "empty.gz"):
        (tmp_path / name).write_bytes(b"")
        assert read(tmp_path / name) == b""


def test_damage_is_an_error_that_says_where_and_what_to_do(compressed):
    content = bytearray(gzip.compress(os.urandom(300_000)))
    content[100_000] ^= 255
    compressed.write_bytes(content)
    with pytest.raises(CaptureError, match=r"feed 'f': .*capture.gz is damaged at or before byte \d+ of \d+ .*fetch"):
        read(compressed)


def test_a_plain_file_called_gz_is_an_error(tmp_path):
    path = tmp_path / "plain.gz"
    path.write_bytes(b"not gzip")
    with pytest.raises(CaptureError, match="incorrect header check"):
        read(path)


def test_missing_and_unreadable_files_are_errors_that_name_path_and_setting(tmp_path):
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(CaptureError) as error:
            CaptureFile("nasdaq", path)
        assert str(path) in str(error.value)
        assert "feed 'nasdaq'" in str(error.value)
        assert "`path`" in str(error.value)


def test_identity_is_size_and_the_digest_of_the_head(plain, tmp_path):
    one = CaptureFile("f", plain)
    (tmp_path / "other").write_bytes(b"x" + CONTENT[1:])
    other = CaptureFile("f", tmp_path / "other")
    assert (one.name, one.size) == ("capture", len(CONTENT))
    assert (other.size == one.size, other.digest == one.digest) == (True, False)
    one.close()
    other.close()
