"""Locations in models with unions, tagged and plain, in fields and in lists."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from flows.model_places import models_at, places
from flows.wording import located
from flows.yaml_lines import parse


class Tape(BaseModel, extra="forbid"):
    kind: Literal["tape"]
    speed: int = 1


class Row(BaseModel, extra="forbid"):
    width: int


class Rows(BaseModel, extra="forbid"):
    """Has a field that is called as its tag."""

    kind: Literal["rows", "lines"]
    rows: Row
    tape: str = ""


class Plain(BaseModel, extra="forbid"):
    inner: Row | int = 1


class Shelf(BaseModel, extra="forbid"):
    items: tuple[Annotated[Tape | Rows, Field(discriminator="kind")], ...] = ()
    best: Tape | Rows | None = Field(default=None, discriminator="kind")
    plain: Plain = Plain()


def test_a_tag_is_told_from_a_key_of_the_same_name():
    found = places(Shelf, ("items", 0, "rows", "rows", "width"))
    assert [bool(place.union) for place in found] == [False, False, True, False, False]
    assert found[2].union == [Tape, Rows]
    assert found[2].key == "kind"
    assert found[3].models == [Row]


def test_models_at_a_location():
    assert models_at(Shelf, ()) == [Shelf]
    assert models_at(Shelf, ("items", 0)) == [Tape, Rows]
    assert models_at(Shelf, ("best", "tape")) == [Tape]
    assert models_at(Shelf, ("plain", "inner", "Row")) == [Row]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("items: [{kind: rows, rows: {width: x}}]", "f:1:36: items[0].rows.width: should be a valid integer"),
        ("items: [{kind: rows, rows: {width: 1}, tape: 5}]", "f:1:46: items[0].tape: should be text, found 5"),
        (
            "items: [{kind: rows, rows: {width: 1}, speed: 5}]",
            "f:1:40: items[0].speed: 'speed' is of kind tape, not of rows; remove it, or correct the kind",
        ),
        (
            "best: {kind: tape, rows: {width: 1}}",
            "f:1:20: best.rows: 'rows' is of kind rows and lines, not of tape; remove it, or correct the kind",
        ),
        ("items: [{kind: rows, rows: {widht: 1}}]", "items[0].rows.widht: unknown key 'widht'; did you mean 'width'?"),
        ("items: [{kind: rows, rosw: {width: 1}}]", "items[0].rosw: unknown key 'rosw'; did you mean 'rows'?"),
        (
            "items: [{kind: tapes}]",
            "f:1:16: items[0].kind: should be 'tape', 'rows' or 'lines', found 'tapes'; did you mean 'tape'?",
        ),
        ("best: {kind: 5}", "f:1:14: best.kind: should be 'tape', 'rows' or 'lines', found 5"),
        ("best: {speed: 5}", "f:1:7: best.kind: this key is missing; add it ('tape', 'rows' or 'lines')"),
        ("best: 5", "f:1:7: best: should be keys with values, found 5"),
        ("plain: {inner: {wide: 1}}", "f:1:17: plain.inner.wide: unknown key 'wide'; did you mean 'width'?"),
    ],
)
def test_what_is_said_of_a_union_is_said_at_its_place(text: str, message: str):
    document = parse(text, "f", {})
    with pytest.raises(ValidationError) as error:
        Shelf.model_validate(document.value)
    assert message in str(located(error.value, Shelf, document))
