"""Match the labels a model uses with the labels that were asked for."""

from __future__ import annotations

from collections.abc import Sequence

from custom_model_runner.errors import ContractError
from custom_model_runner.parsers import FALSE_WORDS, TRUE_WORDS


def standard(label: str) -> str:
    """Return the form in which labels are compared: numbers and truth words as numbers, else lower case."""
    word = label.strip().lower()
    try:
        return repr(float(word))
    except ValueError:
        return "1.0" if word in TRUE_WORDS else "0.0" if word in FALSE_WORDS else word


def align(found: Sequence[object], expected: Sequence[str]) -> tuple[str, ...]:
    """Return the expected spelling of each found label, in the order found; other labels break the contract."""
    names = [str(label) for label in found]
    if sorted(names) == sorted(expected):
        return tuple(names)
    spelling = {standard(label): label for label in expected}
    forms = [standard(name) for name in names]
    is_same = len(spelling) == len(expected) and len(set(forms)) == len(forms) and set(forms) == set(spelling)
    if not is_same:
        shown = list(reversed(expected)) if len(expected) == 2 else list(expected)
        raise ContractError(f"Expected predictions to have columns {shown}, but encountered {names}")
    return tuple(spelling[form] for form in forms)
