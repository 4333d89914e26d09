"""The names of columns, where a format can tell columns apart by nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from custom_model_runner.errors import ContractError, InputError


def check_in(names: Sequence[str], format_name: str) -> None:
    """Refuse a table that came in with two columns of one name; names are data and not shown."""
    position = _second(names)
    if position is not None:
        raise InputError(
            f"The {format_name} input has two columns of the same name; the second is column {position}, counted from 0"
        )


def check_out(names: Iterable[object], format_name: str) -> list[str]:
    """Return the names as text; two that are the same break the contract."""
    texts = [str(name) for name in names]
    position = _second(texts)
    if position is not None:
        raise ContractError(f"The output has two columns named {texts[position]!r}, which {format_name} cannot hold")
    return texts


def _second(names: Sequence[str]) -> int | None:
    """Return where a name comes for the second time, or None."""
    seen: set[str] = set()
    for position, name in enumerate(names):
        if name in seen:
            return position
        seen.add(name)
    return None
