"""What becomes of observations."""
