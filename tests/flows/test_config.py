"""A sound configuration: what it comes to, and what its digest depends on."""

from pathlib import Path

import pytest

from flows.config import Config, load
from flows.settings import TableSetting
from operators.operator import Feed
from schemas.errors import ConfigError
from schemas.record import MONEY_QUANTUM
from tests.flows.configs import SOUND, changed, fakes, loaded, written

__all__ = ["fakes"]


def with_capture(folder: Path, size: int = 5) -> None:
    (folder / "captures").mkdir(exist_ok=True)
    (folder / "captures" / "tape.gz").write_bytes(bytes(size))


def digest(folder: Path, text: str = SOUND) -> str:
    return loaded(folder, text).digest


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = loaded(tmp_path)
    assert config.target == f"chdb://{tmp_path}/clickhouse"
    assert config.data == tmp_path / "captures"
    assert config.feed_path(config.desks[0].feeds[0]) == tmp_path / "captures" / "tape.gz"
    assert loaded(tmp_path, changed("data: captures\n", "")).data == tmp_path
    server = "clickhouse://user:secret@host:8123/db"
    assert loaded(tmp_path, changed("chdb://clickhouse", server)).target == server


def test_data_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = changed("data: captures", "data: ${RECORDINGS:-captures}")
    assert loaded(tmp_path, text).data == tmp_path / "captures"
    monkeypatch.setenv("RECORDINGS", "/elsewhere")
    assert loaded(tmp_path, text).data == Path("/elsewhere")


def test_lists_may_stand_in_files_of_their_own(tmp_path: Path) -> None:
    pairs = "    pairs:\n      - {id: AB, y: A, x: B}\n"
    text = changed(pairs, "    pairs: pairs.yaml\n")
    (tmp_path / "pairs.yaml").write_text("- {id: AB, y: A, x: B}\n- {id: AC, y: A, x: C}\n")
    assert [pair.id for pair in loaded(tmp_path, text).desks[0].pairs] == ["AB", "AC"]
    (tmp_path / "captures").mkdir()
    (tmp_path / "captures" / "pairs.yaml").write_text("- {id: BC, y: B, x: C}\n")
    assert [pair.id for pair in loaded(tmp_path, text).desks[0].pairs] == ["BC"]
    (tmp_path / "captures" / "pairs.yaml").write_text("- {id: BC, y: B, x: C}\n- {id: BD, y: B, x: D}\n")
    with pytest.raises(ConfigError, match=r"pairs.yaml:2:21: desks\[0\].pairs\[1\].x: there is no instrument 'D'"):
        loaded(tmp_path, text)


def test_the_desk_as_operators_see_it(tmp_path: Path) -> None:
    desk = loaded(tmp_path).desk("main")
    assert [i.id for i in desk.instruments] == ["A", "B", "C"]
    assert desk.feeds == (Feed("tape", ("A", "B", "C")),)
    assert desk.legs == ((0, 1),)
    assert desk.capital == 1_000_000 * MONEY_QUANTUM


def test_a_desk_has_the_instruments_its_feeds_list(tmp_path: Path) -> None:
    text = changed("path: tape.gz}", "path: tape.gz, instruments: [C, A]}").replace("x: B}", "x: C}")
    desk = loaded(tmp_path, text).desk("main")
    assert [i.id for i in desk.instruments] == ["A", "C"]
    assert desk.feeds == (Feed("tape", ("C", "A")),)


def test_two_currencies_on_two_desks(tmp_path: Path) -> None:
    text = changed("symbol: CC, tick: 0.01, lot: 1, currency: USD", "symbol: CC, tick: 0.01, lot: 1, currency: EUR")
    text = text.replace("path: tape.gz}", "path: tape.gz, instruments: [A, B]}")
    other = "  - {id: euro, capital: 1, feeds: [{id: f, format: recording, path: f, instruments: [C]}]}\n"
    config = loaded(tmp_path, text.replace("operators:\n", f"{other}operators:\n"))
    assert [i.id for i in config.desk("euro").instruments] == ["C"]


def test_an_unknown_desk(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no desk 'mian'; did you mean 'main'\?"):
        loaded(tmp_path).desk("mian")


def test_table_settings(tmp_path: Path) -> None:
    config = loaded(tmp_path)
    assert config.table("quotes") == TableSetting(every_ns=10**9)
    assert config.table("spreads") == TableSetting()
    assert config.table("fills") == TableSetting()
    bare = loaded(tmp_path, changed("  quotes: {every: 1s}\n  spreads: on", "  fills: off"))
    assert not bare.table("quotes").written
    assert not bare.table("spreads").written
    assert not bare.table("fills").written


def test_the_text_kept_of_a_run_has_no_password(tmp_path: Path) -> None:
    text = changed("chdb://clickhouse", "clickhouse://user:s%2Fcret@host:8123/db")
    config = loaded(tmp_path, text)
    assert config.text == text.replace("s%2Fcret", "***")
    assert "s%2Fcret" not in repr(config)
    assert loaded(tmp_path).text == SOUND


def test_in_python(tmp_path: Path) -> None:
    config = Config.model_validate(
        {
            "run": "x",
            "target": "chdb:///tmp/x",
            "instruments": [i.model_dump() for i in loaded(tmp_path).instruments],
            "desks": [{"id": "d", "capital": 5, "feeds": [{"id": "f", "format": "recording", "path": "f"}]}],
            "operators": [{"id": "o", "type": "decoder", "input": "feeds"}],
        }
    )
    assert config.desk("d").capital == 5 * MONEY_QUANTUM
    assert "chdb" not in config.text
    assert str(config.error(("operators", 0), "wrong")) == "operators[0]: wrong"


def test_a_list_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.yaml:1:1: a configuration is keys with values"):
        load(written(tmp_path, "- run: demo\n"))


SAME_DIGEST = {
    "run": ("run: demo", "run: other"),
    "target": ("chdb://clickhouse", "chdb://elsewhere"),
    "runtime": ("frame: 512", "frame: 64, fuse: false, flush_rows: 10"),
    "units": ("every: 250ms", "every: 0.25s"),
    "a default spelt out": ("every: 250ms", "every: 250ms, scale: 1"),
    "list of one": ("input: decode", "input: [decode]"),
    "usual tables": ("spreads: on", "spreads: on\n  fills: on"),
}
OTHER_DIGEST = {
    "capital": ("1_000_000", "1_000_001"),
    "seed": ("capital: 1_000_000", "capital: 1_000_000\n    seed: 3"),
    "tick": ("symbol: AA, tick: 0.01", "symbol: AA, tick: 0.02"),
    "pair": ("{id: AB, y: A, x: B}", "{id: AB, y: B, x: A}"),
    "parameter": ("window: 20", "window: 21"),
    "input": ("input: decode", "input: decode.events"),
    "sampling": ("{every: 1s}", "{every: 2s}"),
    "table off": ("spreads: on", "spreads: on\n  signals: off"),
    "feed": ("id: tape", "id: band"),
}


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize(("old", "new"), SAME_DIGEST.values(), ids=SAME_DIGEST)
def test_what_changes_no_row_is_not_in_the_digest(tmp_path: Path, old: str, new: str) -> None:
    with_capture(tmp_path)
    assert digest(tmp_path) == digest(tmp_path, changed(old, new))


@pytest.mark.usefixtures("fakes")
@pytest.mark.parametrize(("old", "new"), OTHER_DIGEST.values(), ids=OTHER_DIGEST)
def test_what_changes_rows_is_in_the_digest(tmp_path: Path, old: str, new: str) -> None:
    with_capture(tmp_path)
    assert digest(tmp_path) != digest(tmp_path, changed(old, new))


@pytest.mark.usefixtures("fakes")
def test_the_digest_knows_captures_by_name_and_size(tmp_path: Path) -> None:
    with_capture(tmp_path, 5)
    before = digest(tmp_path)
    (tmp_path / "captures").rename(tmp_path / "moved")
    assert digest(tmp_path, changed("data: captures", "data: moved")) == before
    with_capture(tmp_path, 6)
    assert digest(tmp_path) != before
    (tmp_path / "captures" / "tape.gz").unlink()
    with pytest.raises(ConfigError, match=r"12:45: desks\[0\].feeds\[0\].path: there is no file .*tape.gz; record or"):
        digest(tmp_path)


def test_every_two_instruments_of_a_desk_are_a_pair(tmp_path: Path) -> None:
    text = changed("    pairs:\n      - {id: AB, y: A, x: B}\n", "    every_pair: true\n")
    desk = loaded(tmp_path, text).desk("main")
    assert [(pair.id, pair.y, pair.x) for pair in desk.pairs] == [
        ("A/B", "A", "B"),
        ("A/C", "A", "C"),
        ("B/C", "B", "C"),
    ]
    narrowed = text.replace("path: tape.gz}", "path: tape.gz, instruments: [C, A]}")
    assert [pair.id for pair in loaded(tmp_path, narrowed).desk("main").pairs] == ["A/C"]
