"""Instruments out of security lists and definitions."""

from decimal import Decimal

import pytest
import yaml

from operators.feeds.fix_definitions import fix_instruments
from operators.framing.fix_message import encode
from schemas.errors import ConfigError
from schemas.instrument import Instrument
from tests.operators.feeds.fix_messages import Venue, bid, new


def listed(entries):
    """A security list."""
    fields = [("35", "y"), ("49", "V"), ("56", "D"), ("34", 1), ("52", "20240809-00:00:01.500"), ("146", len(entries))]
    return encode("FIXT.1.1", [*fields, *((str(tag), value) for entry in entries for tag, value in entry.items())])


TERMS = {969: "0.05", 561: "100", 15: "EUR"}


def test_lists_and_definitions_say_the_terms_and_the_last_word_counts():
    messages = [
        listed([{55: "B", **TERMS}, {55: "A", 969: "0.5", 1231: "10", 15: "USD", 231: "50"}]),
        Venue().message("d", {55: "C", 48: "7", 22: "8", 969: "1", 562: "2", 15: "USD"}),
        listed([{55: "B", 969: "0.01", 561: "1", 15: "EUR"}]),
    ]
    found = fix_instruments(messages, "v")
    assert found.instruments == [
        Instrument(id="A@v", venue="v", symbol="A", tick="0.5", lot="10", currency="USD", multiplier="50"),
        Instrument(id="B@v", venue="v", symbol="B", tick="0.01", lot="1", currency="EUR"),
        Instrument(id="C@v", venue="v", symbol="C", tick="1", lot="2", currency="USD"),
    ]
    assert found.left_out == {}
    assert fix_instruments(messages, "v", tag="48").instruments[0].symbol == "7"


def test_what_nothing_says_leaves_out_unless_it_is_given():
    venue = Venue()
    messages = [listed([{55: "A", **TERMS}, {55: "B", 561: "1"}])]
    messages += [venue.changes(new(bid("1", "1"), "C")), venue.whole(symbol="D")]
    found = fix_instruments(messages, "v")
    assert [i.symbol for i in found.instruments] == ["A"]
    assert found.left_out == dict.fromkeys("BCD", "nothing says its MinPriceIncrement (969)")
    given = fix_instruments(messages, "v", Decimal("0.1"), Decimal(1), "USD")
    assert [(i.symbol, str(i.tick), i.currency) for i in given.instruments] == [
        ("A", "0.05", "EUR"), ("B", "0.1", "USD"), ("C", "0.1", "USD"), ("D", "0.1", "USD"),
    ]  # fmt: skip


def test_terms_that_cannot_be_leave_out():
    wrong = [{969: "x"}, {969: "0"}, {969: "NaN"}, {561: "-1"}, {231: "0"}, {231: "Infinity"}, {969: "1E+40"}]
    found = fix_instruments([listed([{55: str(i), **TERMS, **terms} for i, terms in enumerate(wrong)])], "v")
    assert found.instruments == []
    assert len(found.left_out) == len(wrong)
    assert found.left_out["0"] == "its terms are not those of an instrument"


def test_damage_is_passed_over_but_nothing_at_all_is_not():
    with pytest.raises(ConfigError, match="expected messages that speak of instruments"):
        fix_instruments([b"8=FIX", listed([{55: "A", **TERMS}])[:-3], Venue().message("0")], "v")


def test_they_are_written_as_a_configuration_has_them():
    found = fix_instruments([listed([{55: "A", **TERMS}])], "v")
    written = yaml.safe_load(found.yaml())
    assert written == [{"id": "A@v", "venue": "v", "symbol": "A", "tick": "0.05", "lot": "100", "currency": "EUR"}]
    assert [Instrument.model_validate(i) for i in written] == found.instruments
