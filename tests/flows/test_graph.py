"""The graph: who reads whom, in which order, and what is written."""

from pathlib import Path

import pytest

from flows.graph import Declaration, Graph, build_graph, compose
from flows.settings import TableSetting
from operators.operator import Desk
from schemas.errors import ConfigError
from tests.flows.configs import SOUND, changed, fakes, loaded
from tests.flows.fakes import ALARMS, Bands, Book, Compare, Decoder, Notes, Smooth, Split, Spread

__all__ = ["fakes"]

pytestmark = pytest.mark.usefixtures("fakes")
BANDS = "  - {id: bands, type: bands, input: spread, entry: 2.0}\n"


def graph(folder: Path, text: str = SOUND) -> Graph:
    return build_graph(loaded(folder, text))


def test_inputs_are_matched_by_schema(tmp_path: Path) -> None:
    built = graph(tmp_path)
    assert [node.id for node in built.nodes] == ["decode", "book", "spread", "bands"]
    assert built.node("decode").inputs == {"raw": (("feeds", "raw"),)}
    assert built.node("book").inputs == {"events": (("decode", "events"),)}
    assert built.node("bands").inputs == {"spreads": (("spread", "spreads"),)}
    assert built.node("spread").parameters.window == 20
    assert built.node("spread").parameters.every == 250_000_000


def test_an_optional_port_is_connected_when_its_writer_is_listed(tmp_path: Path) -> None:
    bands = graph(tmp_path, changed("input: spread", "input: [spread, book]")).node("bands")
    assert bands.inputs == {"spreads": (("spread", "spreads"),), "levels": (("book", "levels"),)}


def test_several_writers_of_one_schema_are_merged_in_the_order_listed(tmp_path: Path) -> None:
    second = BANDS + "  - {id: second, type: decoder, input: feeds}\n"
    text = changed(BANDS, second).replace("input: decode}", "input: [second, decode]}")
    built = graph(tmp_path, text)
    assert built.node("book").inputs == {"events": (("second", "events"), ("decode", "events"))}
    assert [node.id for node in built.nodes] == ["decode", "second", "book", "spread", "bands"]
    assert built.tables["dead_letters"].refs == (("decode", "dead_letters"), ("second", "dead_letters"))


def test_ports_are_named_where_schemas_do_not_tell_them_apart(tmp_path: Path) -> None:
    more = (
        "  - {id: near, type: split, input: book}\n"
        "  - {id: slow, type: spread, input: near.far}\n"
        "  - {id: both, type: compare, input: {fast: spread, slow: [slow.spreads]}}\n"
    )
    built = graph(tmp_path, changed(BANDS, BANDS + more))
    assert built.node("slow").inputs == {"quotes": (("near", "far"),)}
    assert built.node("both").inputs == {"fast": (("spread", "spreads"),), "slow": (("slow", "spreads"),)}


def test_declaration_order_does_not_matter(tmp_path: Path) -> None:
    book = "  - {id: book, type: book, input: decode}\n"
    built = graph(tmp_path, changed(book, "").replace(BANDS, BANDS + book))
    assert [node.id for node in built.nodes] == ["decode", "book", "spread", "bands"]


def test_tables(tmp_path: Path) -> None:
    tables = graph(tmp_path).tables
    assert {name: rule.every_ns for name, rule in tables.items()} == {
        "dead_letters": None,
        "quotes": 10**9,
        "spreads": None,
        "signals": None,
    }
    assert tables["signals"].refs == (("bands", "signals"),)


def test_a_users_own_schema_is_written_when_named(tmp_path: Path) -> None:
    text = changed(BANDS, BANDS + "  - {id: both, type: compare, input: {fast: spread, slow: spread}}\n")
    bare = graph(tmp_path, text)
    assert "alarms" not in bare.tables
    assert any(w.startswith("both.alarms is neither read") and "tables: {alarms: on}" in w for w in bare.warnings)
    named = graph(tmp_path, text.replace("spreads: on", "alarms: {every: 2s}"))
    assert named.tables["alarms"].schema is ALARMS
    assert named.tables["alarms"].every_ns == 2 * 10**9


def test_unused_outputs_are_warned_of(tmp_path: Path) -> None:
    assert graph(tmp_path).warnings == ("book.levels is neither read by an operator nor written",)
    cut = changed("  quotes: {every: 1s}\n  spreads: on", "  dead_letters: off")
    assert graph(tmp_path, cut.replace(BANDS, "")).warnings == (
        "book.levels is neither read by an operator nor written",
        "spread.spreads is neither read by an operator nor written; to write it: tables: {spreads: on}",
    )


def test_a_type_may_be_a_path(tmp_path: Path) -> None:
    node = graph(tmp_path, changed("type: decoder", "type: 'tests.flows.fakes:Decoder'")).node("decode")
    assert node.component is Decoder
    assert node.type == "tests.flows.fakes:Decoder"


def test_a_module_that_fails_is_named_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "crooked_operator.py").write_text("def f(:\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match=r"config.yaml:16:24: .*'crooked_operator:F' cannot be imported: SyntaxError"):
        graph(tmp_path, changed("type: decoder", "type: 'crooked_operator:F'"))


class TestCompose:
    """Graphs made in Python."""

    def desk(self, tmp_path: Path) -> Desk:
        return loaded(tmp_path).desk("main")

    def test_the_same_graph(self, tmp_path: Path) -> None:
        composed = compose(
            [
                Declaration("decode", Decoder),
                Declaration("book", Book, inputs="decode"),
                Declaration("spread", Spread, {"window": 20, "every": "250ms"}, ["book"]),
                Declaration("bands", Bands, Bands.Parameters(entry=2.0), {"spreads": "spread"}),
            ],
            [self.desk(tmp_path)],
            {"quotes": TableSetting(every_ns=10**9), "spreads": TableSetting()},
        )
        configured = graph(tmp_path)
        assert composed.tables == configured.tables
        assert composed.warnings == configured.warnings
        for ours, theirs in zip(composed.nodes, configured.nodes, strict=True):
            assert (ours.id, ours.component, ours.parameters, ours.inputs) == (
                theirs.id,
                theirs.component,
                theirs.parameters,
                theirs.inputs,
            )

    @pytest.mark.parametrize(
        ("second", "message"),
        [
            (Declaration("decode", Book), "operators: two operators have the same id"),
            (Declaration("feeds", Book), "operators: two operators have the same id, or one is called 'feeds'"),
            (Declaration("s", Smooth, {"x": 1}, "s"), "operator 's': x: unknown key 'x'; there are none"),
            (
                Declaration("s", Smooth, inputs="s"),
                r"operators\[1\].input: these operators read each other in a circle",
            ),
            (
                Declaration("n", Notes),
                r"operators\[1\].input: 'feeds' is of no use here: it emits raw, the operator takes",
            ),
            (
                Declaration("c", Compare, inputs=()),
                r"nothing feeds input port 'fast', which takes spreads; add an operator",
            ),
            (
                Declaration("c", Split, inputs="decode.raw"),
                "'decode' has no output port 'raw'; known: events, dead_letters",
            ),
        ],
    )
    def test_refusals(self, tmp_path: Path, second: Declaration, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            compose([Declaration("decode", Decoder), second], [self.desk(tmp_path)])
