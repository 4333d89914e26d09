"""Loading without searches for garbage."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

import pytest

from custom_model_runner import garbage


@pytest.fixture(autouse=True)
def searched_as_before() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_searched_until_the_block_ends() -> None:
    with garbage.unsearched():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_inner_block_leaves_the_end_to_the_outer() -> None:
    with garbage.unsearched():
        with garbage.unsearched():
            pass
        assert not gc.isenabled()


def test_a_failure_ends_the_block_too() -> None:
    with pytest.raises(RuntimeError), garbage.kept():
        raise RuntimeError
    assert gc.isenabled()


def test_what_is_kept_is_never_searched() -> None:
    with garbage.kept():
        kept = [object()]
    assert not any(one is kept for one in gc.get_objects())


def test_what_comes_later_is_searched() -> None:
    with garbage.kept():
        pass
    later = [object()]
    assert any(one is later for one in gc.get_objects())


def test_a_process_ends_without_a_search() -> None:
    program = (
        "import gc, sys\n"
        "from custom_model_runner import garbage\n"
        "class Cycle:\n"
        "    def __init__(self): self.itself = self\n"
        "    def __del__(self): print('found')\n"
        "Cycle()\n"
        "if sys.argv[1:]: garbage.left_at_the_end()\n"
    )
    run = partial(subprocess.run, capture_output=True, text=True, check=True)
    assert run([sys.executable, "-c", program]).stdout == "found\n"
    assert run([sys.executable, "-c", program, "left"]).stdout == ""
