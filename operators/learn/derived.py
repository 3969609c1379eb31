"""Features that a user adds: arithmetic on the others, in one line of configuration."""

import ast
import math
from collections.abc import Callable, Iterable, Mapping
from types import CodeType

from schemas.learn import FEATURE_NAMES

RECENT = "recent"
"""The last outcomes of the pair: a feature that the model operator itself knows. See `operators.learn.model`."""

BASE_NAMES = (*FEATURE_NAMES, RECENT)

_FUNCTIONS: dict[str, Callable[..., float]] = {"abs": abs, "min": min, "max": max, "sqrt": math.sqrt, "log": math.log}
_LONGEST = 200
_ALLOWED = (
    *(ast.Expression, ast.BinOp, ast.UnaryOp, ast.Call, ast.Name, ast.Load, ast.Constant),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.USub),
)


def check_expressions(expressions: Mapping[str, str]) -> None:
    """Raise ValueError unless each is arithmetic on features and those before it.

    That is + - * /, abs, min, max, sqrt, log, numbers and names.
    """
    known = list(BASE_NAMES)
    for name, text in expressions.items():
        if not name.isidentifier() or name in known or name in _FUNCTIONS:
            raise ValueError(f"{name!r} cannot be the name of a feature: take a new word of letters, digits and _")
        code = _compiled(name, text, known)
        known.append(name)
        try:
            float(eval(code, _SCOPE, dict.fromkeys(known, 1.0)))
        except TypeError as e:
            raise ValueError(f"derive {name}: {text!r} cannot be computed: {e}") from None
        except (ArithmeticError, ValueError):
            pass  # of these very numbers


class Derived:
    """The values of derived features, in the order of their declaration."""

    def __init__(self, expressions: Mapping[str, str]) -> None:
        known = list(BASE_NAMES)
        self._code: list[tuple[str, CodeType]] = []
        for name, text in expressions.items():
            self._code.append((name, _compiled(name, text, known)))
            known.append(name)
        self.names = tuple(known)

    def add(self, x: dict[str, float]) -> None:
        """Add them to the other features. What has no value, as 1 / 0, is 0."""
        for name, code in self._code:
            try:
                value = float(eval(code, _SCOPE, x))
            except (ArithmeticError, ValueError):
                value = 0.0
            x[name] = value if math.isfinite(value) else 0.0


_SCOPE = {"__builtins__": {}, **_FUNCTIONS}


def _compiled(name: str, text: str, known: Iterable[str]) -> CodeType:
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError) as e:
        raise ValueError(f"derive {name}: {text!r} is no expression ({e}); write one such as y_flow - x_flow") from None
    if len(text) > _LONGEST:
        raise ValueError(f"derive {name}: longer than {_LONGEST} characters; write two features")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in {*known, *_FUNCTIONS}:
            raise ValueError(f"derive {name}: there is no feature {node.id!r}; there are {', '.join(known)}")
        is_call = isinstance(node, ast.Call) and not isinstance(node.func, ast.Name)
        is_number = not isinstance(node, ast.Constant) or type(node.value) in (int, float)
        if not isinstance(node, _ALLOWED) or is_call or not is_number or getattr(node, "keywords", None):
            raise ValueError(f"derive {name}: {text!r}: write + - * /, abs, min, max, sqrt, log, features and numbers")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in _FUNCTIONS:
            raise ValueError(f"derive {name}: {node.func.id!r} is no function; there are {', '.join(_FUNCTIONS)}")
    return compile(tree, f"<derive {name}>", "eval")
