"""What forked processes share."""

from __future__ import annotations

from custom_model_runner.server import launch


def test_only_the_first_offer_counts() -> None:
    number = launch.shared_number()
    assert (number.offer(4), number.offer(5), number.cell.value) == (True, False, 4)
