"""What clients of the original see, checked against real processes."""
