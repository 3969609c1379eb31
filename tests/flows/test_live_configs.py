"""Configurations of desks that listen, or read what they heard: what fits together, and what makes another run."""

from contextlib import closing
from pathlib import Path

import pytest

from flows.cli import main
from flows.desk_inputs import desk_input
from operators.sources.journal import Journal, Logged
from operators.sources.journal_input import JournalInput
from operators.sources.live_input import LiveInput
from schemas.errors import CaptureError, ConfigError
from schemas.market import RawKind
from tests.flows.configs import changed, fakes, loaded, written

__all__ = ["fakes"]

_FEED = "      - {id: tape, format: recording, path: tape.gz}\n"
_MOLD = "      - {id: tape, format: moldudp64, lines: ['127.0.0.1:0']}\n"
_SOUP = (
    "      - {id: soup, format: soupbintcp, server: '127.0.0.1:1', username: pair, password: \"a, b\"}\n"
    "      - {id: other, format: soupbintcp, server: '127.0.0.1:1', username: pair, password: hidden}\n"
    "      - {id: third, format: soupbintcp, server: '127.0.0.1:1', username: pair, password: \"${SOUP:-x}\"}\n"
)
_WEBSOCKET = "      - {id: tape, format: websocket, venue: kraken, instruments: [A, B]}\n"
_HEARD = "      - {id: tape, format: journal}\n"
_JOURNAL = "    journal: {path: heard, sync: always, segment: 5000}\n"


def config_of(feeds: str, journal: str = _JOURNAL) -> str:
    return changed(_FEED, feeds + journal)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            config_of(_MOLD + _FEED.replace("tape,", "more,")),
            "13:28: desks[0].feeds[1].format: feed 'more' is a capture and feed 'tape' is live: a desk is live as",
        ),
        (
            config_of(_HEARD + _MOLD.replace("tape,", "more,")),
            "desks[0].feeds[1].format: feed 'more' is live and feed 'tape' is of a journal: a desk is live as a whole",
        ),
        (
            config_of(_MOLD, ""),
            "9:5: desks[0]: desk 'main' has no journal, which is written to first; add one, such",
        ),
        (config_of(_HEARD, ""), "9:5: desks[0]: desk 'main' has no journal, which is read from; add one, such as"),
        (config_of(_FEED), "13:5: desks[0].journal: desk 'main' reads captures, which need no journal; remove it"),
        (
            config_of(_MOLD, _JOURNAL.replace("always", "soon")),
            "13:34: desks[0].journal.sync: 'soon' is not a duration",
        ),
        (config_of(_MOLD, _JOURNAL.replace("5000", "5")), "13:51: desks[0].journal.segment: should be greater than or"),
        (config_of(_MOLD, _JOURNAL + "    tick: 0s\n"), "14:11: desks[0].tick: should be greater than 0"),
        (
            config_of(_MOLD).replace(
                "operators:\n", f"  - id: twin\n    capital: 1\n    feeds:\n{_MOLD}{_JOURNAL}operators:\n"
            ),
            "20:21: desks[1].journal.path: desks 'main' and 'twin' have the same journal; give each its own",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_place_and_remedy(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as error:
        loaded(tmp_path, text)
    assert expected in str(error.value)


@pytest.mark.usefixtures("fakes")
def test_a_live_run_is_known_by_what_it_is_not_by_where_it_listens(tmp_path: Path) -> None:
    digest = loaded(tmp_path, config_of(_MOLD)).digest
    for same in (
        config_of(_MOLD.replace("127.0.0.1:0", "239.255.77.1:26477")),
        config_of(_MOLD.replace("']}", "'], server: '127.0.0.1:17000', patience: 5s}")),
        config_of(_MOLD, _JOURNAL.replace("always", "never") + "    tick: 5s\n"),
        config_of(_MOLD, "    journal: {path: elsewhere}\n"),
        config_of(_MOLD).replace("frame: 512", "frame: 512, pause: 0s"),
    ):
        assert loaded(tmp_path, same).digest == digest
    dearer = config_of(_MOLD).replace("capital: 1_", "capital: 2_")
    for other in (config_of(_SOUP), config_of(_MOLD.replace("tape,", "more,")), dearer):
        assert loaded(tmp_path, other).digest != digest


@pytest.mark.usefixtures("fakes")
def test_a_websocket_may_be_taken_up_at_another_address(tmp_path: Path) -> None:
    digest = loaded(tmp_path, config_of(_WEBSOCKET)).digest
    for setting in (
        "url: 'ws://127.0.0.1:1/'",
        "rest: 'http://127.0.0.1:1/'",
        "record: heard.jsonl.zst",
        "silence: 9s",
        "retry: 1s, retry_most: 2s",
    ):
        assert loaded(tmp_path, config_of(_WEBSOCKET.replace("]}", f"], {setting}}}"))).digest == digest
    assert loaded(tmp_path, config_of(_WEBSOCKET.replace("B]", "B, C]"))).digest != digest


@pytest.mark.usefixtures("fakes")
def test_a_journal_that_is_read_counts_by_name_and_size(tmp_path: Path) -> None:
    config = loaded(tmp_path, config_of(_HEARD))
    with pytest.raises(ConfigError, match=r"desks\[0\].journal.path: there is no journal in .*heard; record"):
        _ = config.digest
    digests = set()
    for _ in range(2):
        with closing(Journal(tmp_path / "captures" / "heard", ["tape"])) as journal:
            journal.append([Logged(1, RawKind.MESSAGE, 0, b"x")])
        digests.add(loaded(tmp_path, config_of(_HEARD)).digest)
    assert len(digests) == 2


def test_passwords_are_kept_out_of_what_is_recorded_of_a_run(tmp_path: Path) -> None:
    config = loaded(tmp_path, config_of(_SOUP))
    assert "hidden" not in config.text
    assert config.text.count("password: ***}") == 2
    assert 'password: "${SOUP:-x}"' in config.text
    assert "hidden" not in repr(config)


@pytest.mark.parametrize("password", ["'hidden, for it is long'", "'12345678901'", "12345"])
def test_a_password_that_cannot_be_is_not_repeated(tmp_path: Path, password: str) -> None:
    with pytest.raises(ConfigError, match=r"feeds\[1\].password: .*, found \*\*\*$") as caught:
        loaded(tmp_path, config_of(_SOUP.replace("password: hidden", f"password: {password}")))
    assert password.strip("'") not in str(caught.value)


def test_a_desk_gets_the_input_it_asks_for(tmp_path: Path) -> None:
    live = loaded(tmp_path, config_of(_MOLD))
    open_live = desk_input(live, live.desks[0])
    assert callable(open_live)
    with closing(open_live(10, None, "main")) as source:
        assert isinstance(source, LiveInput)
        raw = source.next()
        assert raw is not None
        assert len(raw.rows) == 0
    heard = loaded(tmp_path, config_of(_HEARD))
    open_heard = desk_input(heard, heard.desks[0])
    assert callable(open_heard)
    with closing(open_heard(10, None, "main")) as source:
        assert isinstance(source, JournalInput)
        raw = source.next()
        assert raw is not None
        assert raw.rows["kind"].tolist() == [RawKind.END]
    nowhere = loaded(tmp_path, config_of(_MOLD.replace("127.0.0.1:0", "192.0.2.1:1")))
    open_nowhere = desk_input(nowhere, nowhere.desks[0])
    assert callable(open_nowhere)
    with pytest.raises(CaptureError, match="feed 'tape': cannot listen"):
        open_nowhere(10, None, "main")
    with closing(open_live(10, None, "main")):  # and the journal is free again
        pass


@pytest.mark.usefixtures("fakes")
def test_check_warns_of_a_journal_that_is_not_there_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(written(tmp_path, config_of(_HEARD)))]) == 0
    assert "warning: desk main: there is no journal in" in capsys.readouterr().out
    assert main(["check", str(written(tmp_path, config_of(_MOLD)))]) == 0
    assert "there is no" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["f.itch"], "Invalid value: give at least one --line, or --soup"),
        (["f.itch", "--line", "here"], "Invalid value: 'here' is not an address; write host:port"),
        (["/nowhere/f.itch", "--soup", "127.0.0.1:0"], "cannot serve /nowhere/f.itch: No such file or directory"),
    ],
)
def test_what_cannot_be_served_is_told(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"pairflow: {message}")
