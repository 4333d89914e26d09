"""Where files are that are in no file system of this machine; one file for each kind of storage."""
