"""From a declaration to a River model. River is loaded only where a model is declared: it takes a second or two."""

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from operators.learn.parameters import Estimator
from schemas.errors import ConfigError

_NESTED_KEYS = {"class", "parameters"}


def make_model(steps: Sequence[Estimator], names: Sequence[str], seed: int, regresses: bool = False) -> Any:
    """A River classifier (or regressor), or a pipeline that ends in one, tried once on an example of all zeros.

    An estimator that draws random numbers, and is not given a `seed`, gets the desk's. Raises ConfigError where a
    step is not what its place asks for, and where the model cannot say a probability (a number) or learn.
    """
    tried, model = _assembled(steps, seed, regresses), _assembled(steps, seed, regresses)
    zeros = dict.fromkeys(names, 0.0)
    try:
        for outcome in (True, False):
            tried.predict_one(zeros) if regresses else tried.predict_proba_one(zeros)
            tried.learn_one(zeros, float(outcome) if regresses else outcome)
        tried.predict_one(zeros) if regresses else tried.predict_proba_one(zeros)
    except NotImplementedError as e:  # how River says that a classifier tells classes alone
        if regresses:
            raise ConfigError(f"{_listed(steps)} leaves out what a regressor does ({e}); choose another") from None
        raise ConfigError(
            f"{steps[-1].path} tells classes but no probabilities; choose a classifier with predict_proba_one"
        ) from None
    except Exception as e:
        raise ConfigError(
            f"{_listed(steps)} cannot be used on numbers: {type(e).__name__} ({e}); mend its parameters"
        ) from e
    return model


def make_detector(declared: Estimator, seed: int) -> Any:
    """A River drift detector, tried once. Raises ConfigError where it is none or cannot be used on numbers."""
    base = import_module("river.base")
    kinds = (base.DriftDetector, base.BinaryDriftDetector)
    what = "a drift detector, such as river.drift.ADWIN"
    tried, detector = (_made(declared, kinds, what, seed) for _ in range(2))
    try:
        tried.update(0.0)
        bool(tried.drift_detected)
    except Exception as e:
        raise ConfigError(f"{declared.path} cannot be used on numbers: {type(e).__name__} ({e})") from e
    return detector


def fingerprint(steps: Sequence[Estimator], target: Mapping[str, Any], seed: int) -> int:
    """The first 63 bits of the SHA-256 of what is declared: classes, parameters, target, seed."""
    meaning = [[step.model_dump(mode="json", by_alias=True) for step in steps], dict(target), seed]
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def _assembled(steps: Sequence[Estimator], seed: int, regresses: bool) -> Any:
    base = import_module("river.base")
    last, name = (base.Regressor, "a regressor") if regresses else (base.Classifier, "a classifier")
    if not steps:
        raise ConfigError(f"a model of no steps; list transformers, and {name} at the end")
    *transformers, estimator = steps
    made = [
        _made(step, (base.Transformer,), "a transformer, as every step but the last", seed) for step in transformers
    ]
    made.append(_made(estimator, (last,), f"{name}, as the last step", seed))
    return import_module("river.compose").Pipeline(*made) if transformers else made[0]


def _made(step: Estimator, wanted: tuple[type, ...], what: str, seed: int) -> Any:
    cls = _river_class(step.path)
    if not issubclass(cls, wanted):
        raise ConfigError(f"{step.path} must be {what}; it is {_kinds(cls)}")
    return _constructed(cls, step.path, step.parameters, seed)


def _river_class(path: str) -> type:
    """The class at a dotted path. Raises ConfigError where there is none, or none of River's kind."""
    module_name, _, name = path.rpartition(".")
    try:
        module = import_module(module_name)
    except ImportError as e:
        raise ConfigError(
            f"class {path}: cannot import {module_name!r} ({e}); see riverml.xyz for what there is"
        ) from e
    found = getattr(module, name, None)
    if found is None:
        known = ", ".join(getattr(module, "__all__", ())) or "nothing public"
        raise ConfigError(f"class {path}: {module_name} has no {name!r}; it has {known}")
    base = import_module("river.base")
    if not (isinstance(found, type) and issubclass(found, base.Base)):
        raise ConfigError(f"class {path} is {found!r}, not a class derived from river.base.Base")
    return found


def _constructed(cls: type, path: str, parameters: Mapping[str, Any], seed: int) -> Any:
    if cls is import_module("river.compose").Select:
        cls = import_module("operators.learn.select").Select
    known = inspect.signature(cls).parameters
    values = {name: _value(value, seed) for name, value in parameters.items()}
    if "seed" in known and values.get("seed") is None:
        values["seed"] = seed
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values())
    strangers = [] if takes_any else sorted(values.keys() - known.keys())
    if strangers:
        raise ConfigError(f"{path} takes no parameter {strangers[0]!r}; it takes {', '.join(known) or 'none'}")
    listed = next((name for name, parameter in known.items() if parameter.kind is parameter.VAR_POSITIONAL), "")
    try:
        return cls(*values.pop(listed, ()), **values)
    except Exception as e:
        raise ConfigError(f"{path} refuses its parameters: {type(e).__name__} ({e}); it takes {_takes(known)}") from e


def _value(value: Any, seed: int) -> Any:
    """A parameter's value: an object where it is declared by class, itself elsewhere."""
    if isinstance(value, Mapping) and "class" in value and value.keys() <= _NESTED_KEYS:
        path = str(value["class"])
        return _constructed(_river_class(path), path, value.get("parameters") or {}, seed)
    if isinstance(value, list):
        return [_value(item, seed) for item in value]
    return value


def _takes(known: Mapping[str, inspect.Parameter]) -> str:
    needed = [name for name, p in known.items() if p.default is p.empty]
    return ", ".join(f"{name} (needed)" if name in needed else name for name in known) or "none"


def _kinds(cls: type) -> str:
    """What a River class is, by the bases that say so."""
    kinds = [base.__name__ for base in cls.__mro__[1:] if base.__module__.startswith("river.base")]
    return ", ".join(kinds[:2]) or "none of River's kinds"


def _listed(steps: Sequence[Estimator]) -> str:
    return " | ".join(step.path for step in steps)
