"""YAML values and where they stand."""

from pathlib import Path

import pytest

from flows.yaml_lines import Mark, parse, path_text, read
from schemas.errors import ConfigError


def value(text: str, **environment: str) -> object:
    return parse(f"v: {text}", "f", environment).value["v"]


@pytest.mark.parametrize("text", ["ON", "off", "NO", "y", "005930", "2026-01-05", "1:30", "12e", "1.5.2", "."])
def test_what_may_be_a_symbol_stays_text(text: str) -> None:
    assert value(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("10_000", 10_000),
        ("-3", -3),
        ("0", 0),
        ("1e-5", 1e-5),
        (".5", 0.5),
        ("2.", 2.0),
        ("+1.5E+2", 150.0),
        ("'5'", "5"),
        ("0.01", 0.01),
    ],
)
def test_plain_values(text: str, expected: object) -> None:
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_the_environment_is_put_into_text() -> None:
    assert value("${A}/x-${B:-y}", A="home") == "home/x-y"
    assert value("${B:-}", A="home") == ""
    assert value("${B:-y}", B="") == ""


def test_marks_of_keys_and_values() -> None:
    document = parse("a:\n  - b: 1\n    c: [x, yy]\n", "f")
    assert document.mark(("a", 0, "c")) == Mark("f", 3, 8)
    assert document.mark(("a", 0, "c"), key=True) == Mark("f", 3, 5)
    assert document.mark(("a", 0, "c", 1)) == Mark("f", 3, 12)
    assert document.mark(("a", 0, "absent")) == Mark("f", 2, 5)


def test_merged_keys_give_way_to_written_ones() -> None:
    document = parse("a: &x {k: 1, l: 2}\nb: &y {l: 3, m: 4}\nc: {<<: [*x, *y], k: 5}", "f")
    assert document.value["c"] == {"k": 5, "l": 2, "m": 4}
    assert document.mark(("c", "m")) == Mark("f", 2, 17)
    assert parse("a: &x {k: 1}\nb: {<<: *x}", "f").value["b"] == {"k": 1}


def test_a_list_of_another_file_keeps_its_own_lines() -> None:
    document = parse("a:\n  b: other.yaml\n", "f")
    document.graft(("a", "b"), parse("- k: 1\n- k: 2\n", "other.yaml"))
    assert document.value == {"a": {"b": [{"k": 1}, {"k": 2}]}}
    assert str(document.error(("a", "b", 1, "k"), "wrong")) == "other.yaml:2:6: a.b[1].k: wrong"


def test_path_text() -> None:
    assert path_text(("operators", 3, "hedge", "window")) == "operators[3].hedge.window"
    assert path_text(()) == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f:1:1: the file is empty"),
        ("a: &x [*x]", "f:1:4: a[0]: an alias points at a value that contains it"),
        ("a: !!python/name:os.system x", "f:1:4: a: cannot read 'x' as os.system"),
        ("? [a]\n: b", "f:1:1: a key must be a plain word"),
        ("a: 1\nb: {<<: 5}", "f:2:4: b: << takes an alias of a mapping, or a list of them"),
        ("a: \x07", "f: this is not YAML: unacceptable character #x0007"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(text, "f")
    assert str(error.value).startswith(message)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the file: No such file or directory"):
        read(tmp_path / "absent.yaml")
    (tmp_path / "latin").write_bytes(b"a: \xe9")
    with pytest.raises(ConfigError, match="it is not UTF-8 text"):
        read(tmp_path / "latin")
