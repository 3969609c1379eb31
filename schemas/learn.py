"""Learning: what a model sees of a pair, what it says, and how right it was."""

from enum import IntEnum, IntFlag

from schemas.record import Column, Kind, Schema, schema

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
    Column(
        "y_flow", Kind.FLOAT, "traded volume of y that bought less that which sold, over all of it, lately: -1 to 1"
    ),
    Column("x_flow", Kind.FLOAT, "the same of x"),
    Column("day_sine", Kind.FLOAT, "sine of the time of day, UTC, a day being a full turn"),
    Column("day_cosine", Kind.FLOAT, "cosine of it"),
    Column("hedge", Kind.FLOAT, "units of x per unit of y a trade would be made at; no model sees it"),
    Column("pair", Kind.PAIR, "index of the pair"),
    by="pair",
)

FEATURE_NAMES = tuple(c.name for c in FEATURES.columns if c.kind is Kind.FLOAT and c.name != "hedge")

SIGNED = frozenset({"z", "velocity", "y_imbalance", "x_imbalance", "y_microprice", "x_microprice", "y_flow", "x_flow"})
"""Features that change sign where the pair is looked at from the other side: prices mirrored, z for -z."""


class PredictionState(IntFlag):
    """Why a model has no opinion; 0 is an opinion."""

    OK = 0
    UNTAUGHT = 1  # it has learned fewer examples than it must, or knows no probability yet
    OUTSIDE = 2  # z is not between exit and stop: there is nothing to predict
    FAILED = 4  # it raised, or said what cannot be; it is neither asked nor taught again
    RULE = 8  # set aside because its errors have drifted: the bare rule holds
    PAUSED = 16  # its errors have drifted: no entries for now


_FINGERPRINT = Column("fingerprint", Kind.ID, "digest of the model's classes, parameters and target")
_MODEL = Column("model", Kind.COUNT, "which of the models: 0 the one under `model`, then `shadows` in their order")
_OWNER = Column("pair", Kind.PAIR, "the model's pair, -1 where it serves several")
_GROUP = Column("group", Kind.TEXT, "the group of pairs, empty for pairs of none")

_OPINION = (
    Column("probability", Kind.FLOAT, "that the declared target comes true, 0 to 1; 0 where there is no opinion"),
    Column("expected_bps", Kind.FLOAT, "expected gain of the trade after costs, of its gross value; 0 without opinion"),
    Column("risk_bps", Kind.FLOAT, "standard deviation of that gain; 0 without opinion"),
    Column("size", Kind.FLOAT, "sizes are to be multiplied by this: below 1 while a drift is acted on"),
    _FINGERPRINT,
    Column("digest", Kind.ID, "digest of the model's state: of all it has learned, in order"),
    Column("examples", Kind.COUNT, "examples learned before it was asked"),
    _MODEL,
    Column("pair", Kind.PAIR, "index of the pair"),
    Column("state", Kind.FLAGS, "PredictionState bits; 0 is an opinion"),
)

PREDICTIONS = schema(
    "predictions", "What the live model says of a pair and of the trade against it.", *_OPINION, by="pair"
)

SHADOW_PREDICTIONS = schema(
    "shadow_predictions", "What the models in the shadow say of the same, each a row.", *_OPINION, by="pair"
)

VALIDATION = schema(
    "validation",
    "How right a model was of a group of pairs: its opinions against the outcomes since the last row.",
    Column("log_loss", Kind.FLOAT, "mean of -ln of the probability given to what happened"),
    Column(
        "log_loss_base", Kind.FLOAT, "the same of one who always says `positive`: not to beat it is to know nothing"
    ),
    Column("brier", Kind.FLOAT, "mean squared difference of probability and outcome"),
    Column("accuracy", Kind.FLOAT, "share of outcomes on the side of 1/2 that the probability was on"),
    Column("auc", Kind.FLOAT, "probability that a positive was ranked above a negative; 1/2 with one kind only"),
    Column(
        "calibration", Kind.FLOAT, "mean distance of probability and share of positives, over tenths of probability"
    ),
    Column("positive", Kind.FLOAT, "share of positive outcomes"),
    Column(
        "gain_bps", Kind.FLOAT, "mean gain after costs of the trades it expected a gain of; 0 where there were none"
    ),
    Column("gain_all_bps", Kind.FLOAT, "the same of all of them: what it would have been without the model"),
    Column("rmse_bps", Kind.FLOAT, "root mean square of gain less expected gain"),
    Column("chosen", Kind.COUNT, "outcomes it expected a gain of"),
    _FINGERPRINT,
    Column("outcomes", Kind.COUNT, "outcomes this row is about"),
    Column("examples", Kind.COUNT, "examples learned so far"),
    _MODEL,
    _OWNER,
    _GROUP,
)

MODEL_FAILURES = schema(
    "model_failures",
    "Models that raised or said what cannot be, each once: it has no opinion from here on.",
    _FINGERPRINT,
    Column("examples", Kind.COUNT, "examples learned until then"),
    _MODEL,
    _OWNER,
    Column("reason", Kind.TEXT, "what it was doing and what it raised"),
)


class ModelEventKind(IntEnum):
    """What happened to the live model."""

    DRIFT = 1  # its errors have risen, says the detector: what is declared is done
    CALM = 2  # what was done about a drift is over
    PROMOTED = 3  # a model from the shadow took its place


MODEL_EVENTS = schema(
    "model_events",
    "Drifts of the live model and what was done, and promotions.",
    Column("before", Kind.FLOAT, "mean error until the drift; of the live model, where another is promoted"),
    Column("after", Kind.FLOAT, "mean of the last errors; of the promoted model"),
    Column("size", Kind.FLOAT, "sizes are multiplied by this from here on"),
    Column("fingerprint", Kind.ID, "the model that is live from here on"),
    Column("examples", Kind.COUNT, "examples it has learned"),
    _MODEL,
    _OWNER,
    _GROUP,
    Column("kind", Kind.ENUM, "drift, its end, or a promotion", ModelEventKind),
)

MODELS = schema(
    "models",
    "All models of an operator as they were, now and then: what `pairflow model export` writes into a file.",
    _FINGERPRINT,
    Column("digest", Kind.ID, "first 63 bits of the SHA-256 of the state"),
    Column("examples", Kind.COUNT, "examples learned so far, all models together"),
    Column("header", Kind.TEXT, "classes, parameters, features, target and versions, as JSON"),
    Column("state", Kind.BYTES, "the models, pickled"),
)

LEARNING: tuple[Schema, ...] = (
    FEATURES,
    PREDICTIONS,
    SHADOW_PREDICTIONS,
    VALIDATION,
    MODEL_FAILURES,
    MODEL_EVENTS,
    MODELS,
)
