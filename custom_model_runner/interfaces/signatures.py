"""Whether a hook can be called the way it will be called; checked when it is loaded."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from inspect import Parameter
from typing import Any

from custom_model_runner.errors import LoadError


def accepted(name: str, hook: Callable[..., Any], positional: int, keywords: tuple[str, ...]) -> frozenset[str]:
    """Return which of the keywords a hook takes; a hook that cannot take its arguments is a load error."""
    if inspect.iscoroutinefunction(hook):
        raise LoadError(f"The {name} hook is declared with async def, expected an ordinary function")
    try:
        parameters = list(inspect.signature(hook).parameters.values())
    except ValueError:
        # Functions written in C may not tell; they are called with everything.
        return frozenset(keywords)
    slots = [one for one in parameters if one.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    takes_any_position = any(one.kind is Parameter.VAR_POSITIONAL for one in parameters)
    takes_any_keyword = any(one.kind is Parameter.VAR_KEYWORD for one in parameters)
    rest = [one for one in parameters if one not in slots[:positional]]
    unknown = [one.name for one in rest if _is_required(one) and one.name not in keywords]
    if (len(slots) < positional and not takes_any_position) or unknown:
        raise LoadError(
            f"The {name} hook has the signature {name}{inspect.signature(hook)}, expected {positional} positional "
            f"argument(s) and then keywords among: {', '.join(keywords) or 'none'}"
        )
    if takes_any_keyword:
        return frozenset(keywords)
    return frozenset(one.name for one in rest if one.kind is not Parameter.POSITIONAL_ONLY) & set(keywords)


def positions(hook: Callable[..., Any]) -> int | None:
    """Return how many arguments a hook takes by position, or None where it takes any number or does not tell."""
    try:
        kinds = [one.kind for one in inspect.signature(hook).parameters.values()]
    except ValueError:
        return None
    if Parameter.VAR_POSITIONAL in kinds:
        return None
    return sum(kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD) for kind in kinds)


def _is_required(parameter: Parameter) -> bool:
    is_named = parameter.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return is_named and parameter.default is Parameter.empty


def keep(keywords: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """Return the keyword arguments that a hook takes."""
    return {name: value for name, value in keywords.items() if name in names}
