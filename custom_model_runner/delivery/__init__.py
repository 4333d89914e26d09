"""What is brought to a folder from outside, before it is opened: parameters, secrets, files."""
