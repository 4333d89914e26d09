"""One short file per verb: settings in, exit code out."""
