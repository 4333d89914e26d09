"""What `drum new` writes."""
