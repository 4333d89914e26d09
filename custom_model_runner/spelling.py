"""What a misspelt word was meant to be, and how words are shown in messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST_COMPARED = 1000
LONGEST = 60


def quoted(word: str) -> str:
    """Return a word in quotes, cut where it is too long to be one."""
    return repr(word if len(word) <= LONGEST else f"{word[:LONGEST]}...")


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like another one, or None where none is; the case of letters counts little."""
    by_letters = {name.lower(): str(name) for name in list(known)[:MOST_COMPARED]}
    close = difflib.get_close_matches(word.lower(), by_letters, n=1)
    return by_letters[close[0]] if close else None


def hint(word: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown word: the nearest known one, else all of them."""
    names = list(known)
    near = nearest(word, names)
    return f"did you mean {near!r}?" if near else f"known: {', '.join(names)}"
