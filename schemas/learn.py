"""Learning: what a model sees of a pair, what it says, and how right it was."""

from enum import IntFlag

from schemas.record import Column, Kind, schema

FEATURES = schema(
    "features",
    "What a pair looks like, sampled now and then while its spread is usable.",
    Column("z", Kind.FLOAT, "z-score of the spread"),
    Column("velocity", Kind.FLOAT, "change of z per second since the last sample"),
    Column("regime", Kind.FLOAT, "deviation of the spread over its own long average: above 1 is wilder than usual"),
    Column("y_imbalance", Kind.FLOAT, "(bid_qty - ask_qty) / (bid_qty + ask_qty) at the best of y"),
    Column("x_imbalance", Kind.FLOAT, "the same of x"),
    Column("y_microprice", Kind.FLOAT, "mid of y weighted by the opposite quantities, over its plain mid, less 1"),
    Column("x_microprice", Kind.FLOAT, "the same of x"),
    Column("y_width", Kind.FLOAT, "(ask - bid) / mid of y"),
    Column("x_width", Kind.FLOAT, "the same of x"),
    Column("day_sine", Kind.FLOAT, "sine of the time of day, UTC, a day being a full turn"),
    Column("day_cosine", Kind.FLOAT, "cosine of it"),
    Column("pair", Kind.PAIR, "index of the pair"),
    by="pair",
)

FEATURE_NAMES = tuple(column.name for column in FEATURES.columns if column.kind is Kind.FLOAT)

SIGNED = frozenset({"z", "velocity", "y_imbalance", "x_imbalance", "y_microprice", "x_microprice"})
"""Features that change sign where the pair is looked at from the other side: prices mirrored, z for -z."""


class PredictionState(IntFlag):
    """Why a model has no opinion; 0 is an opinion."""

    OK = 0
    UNTAUGHT = 1  # it has learned fewer examples than it must, or knows no probability yet
    OUTSIDE = 2  # z is not between exit and stop: there is nothing to predict
    FAILED = 4  # it raised, or said what is no probability; it is neither asked nor taught again


PREDICTIONS = schema(
    "predictions",
    "What a model says of a pair: the probability that the declared target comes true.",
    Column("probability", Kind.FLOAT, "0 to 1; 0 where there is no opinion"),
    Column("fingerprint", Kind.ID, "digest of the model's classes, parameters and target"),
    Column("examples", Kind.COUNT, "examples learned before it was asked"),
    Column("pair", Kind.PAIR, "index of the pair"),
    Column("state", Kind.FLAGS, "PredictionState bits; 0 is an opinion"),
    by="pair",
)

VALIDATION = schema(
    "validation",
    "How right a model was: its opinions, given before the outcome was known, against the outcomes since the last row.",
    Column("log_loss", Kind.FLOAT, "mean of -ln of the probability given to what happened"),
    Column(
        "log_loss_base", Kind.FLOAT, "the same of one who always says `positive`: not to beat it is to know nothing"
    ),
    Column("brier", Kind.FLOAT, "mean squared difference of probability and outcome"),
    Column("accuracy", Kind.FLOAT, "share of outcomes on the side of 1/2 that the probability was on"),
    Column("auc", Kind.FLOAT, "probability that a positive was ranked above a negative; 1/2 with one kind only"),
    Column("positive", Kind.FLOAT, "share of positive outcomes"),
    Column("fingerprint", Kind.ID, "digest of the model's classes, parameters and target"),
    Column("outcomes", Kind.COUNT, "outcomes this row is about"),
    Column("examples", Kind.COUNT, "examples learned so far"),
    Column("pair", Kind.PAIR, "the model's pair, -1 where one model serves the desk"),
)

MODEL_FAILURES = schema(
    "model_failures",
    "Models that raised or said what is no probability, each once: it has no opinion from here on.",
    Column("fingerprint", Kind.ID, "digest of the model's classes, parameters and target"),
    Column("examples", Kind.COUNT, "examples learned until then"),
    Column("pair", Kind.PAIR, "the model's pair, -1 where one model serves the desk"),
    Column("reason", Kind.TEXT, "what it was doing and what it raised"),
)
