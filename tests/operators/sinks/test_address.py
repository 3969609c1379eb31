"""Addresses are read, and shown without what is secret."""

import pytest

from operators.sinks.address import Address
from schemas.errors import ConfigError


@pytest.mark.parametrize(
    ("dsn", "label", "secure"),
    [
        ("chdb:///data/runs/", "chdb:///data/runs", False),
        ("clickhouse://u:p%40ss@db.example:9000/pairflow?send_receive_timeout=5", "db.example:9000", False),
        ("clickhouse://db.example", "db.example:8123", False),
        ("clickhouses://u:p%40ss@db.example/pairflow", "db.example:8443", True),
    ],
)
def test_addresses(dsn, label, secure):
    address = Address.parse(dsn)
    assert (address.label, address.secure) == (label, secure)
    assert (address.directory is not None) == dsn.startswith("chdb")


def test_no_password_is_shown():
    address = Address.parse("clickhouse://user:p%40ss-word@host:1/db")
    assert address.secret == "p@ss-word"
    for shown in (repr(address), str(address), f"{address}", address.label):
        assert "word" not in shown
        assert "user" not in shown


@pytest.mark.parametrize(
    "dsn",
    [
        "",
        "secret",
        "chdb://relative",
        "chdb:///",
        "chdb://",
        "postgres://u:secret@h/d",
        "clickhouse://",
        "clickhouse://u:secret@h:port/d",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(dsn):
    with pytest.raises(ConfigError, match="chdb:///absolute/directory") as e:
        Address.parse(dsn)
    assert "secret" not in str(e.value)
    assert e.value.__cause__ is None
