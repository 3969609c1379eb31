"""Parameters in words."""

from decimal import Decimal
from typing import Annotated, Literal

import pytest
from pydantic import Field

from flows.parameter_docs import ParameterDoc, describe, duration_text, parameter_schema
from operators.operator import Parameters
from schemas.parameter_types import Duration, Money


class Fixed(Parameters):
    type: Literal["fixed"] = Field(default="fixed", description="as it is")


class Rolling(Parameters):
    type: Literal["rolling"] = Field(description="over a window")
    window: int = Field(ge=2, description="samples")


class Everything(Parameters):
    limit: Money = Field(default=25_000 * 10**8, gt=0, description="most money")
    every: Duration = Field(default=90 * 10**9, description="interval")
    hold: Duration | None = Field(default=None, description="at most this long")
    price: Literal["mid", "micro"] = Field(default="mid", description="which price")
    fee: Decimal = Field(default=Decimal(0), ge=-100, description="basis points")
    scale: float = Field(default=0.5, gt=0, lt=1_000, description="factor")
    strict: bool = Field(default=True, description="whether")
    names: tuple[str, ...] = Field(default=(), description="which")
    hedge: Annotated[Fixed | Rolling, Field(discriminator="type")] = Field(default=Fixed(), description="how")


def test_every_parameter_in_words() -> None:
    assert describe(Everything) == [
        ParameterDoc("limit", "number, > 0", "25,000", "most money"),
        ParameterDoc("every", "duration", "90s", "interval"),
        ParameterDoc("hold", "duration | null", "null", "at most this long"),
        ParameterDoc("price", "mid | micro", "mid", "which price"),
        ParameterDoc("fee", "number, ≥ -100", "0", "basis points"),
        ParameterDoc("scale", "number, > 0, < 1,000", "0.5", "factor"),
        ParameterDoc("strict", "true or false", "true", "whether"),
        ParameterDoc("names", "list of text", "[]", "which"),
        ParameterDoc("hedge", "{type: fixed} | {type: rolling}", "{type: fixed}", "how"),
        ParameterDoc("hedge.window", "integer, ≥ 2", "required", "samples"),
    ]


def test_defaults_can_be_written_back() -> None:
    properties = parameter_schema(Everything)["properties"]
    written = {name: properties[name]["default"] for name in ("limit", "every")}
    assert written == {"limit": 25_000, "every": "90s"}
    assert Everything.model_validate(written) == Everything()


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_500, "1500ns"),
        (2_000, "2us"),
        (250 * 10**6, "250ms"),
        (120 * 10**9, "2m"),
        (7200 * 10**9, "2h"),
    ],
)
def test_durations(ns: int, text: str) -> None:
    assert duration_text(ns) == text


def test_what_members_of_a_union_share_is_said_once() -> None:
    class Total(Rolling):
        type: Literal["total"] = Field(description="at right angles")  # type: ignore[assignment]

    class Either(Parameters):
        hedge: Annotated[Fixed | Rolling | Total, Field(discriminator="type")] = Field(description="how")

    assert [doc.name for doc in describe(Either)] == ["hedge", "hedge.window"]
