"""One file per dialect; a route reads, calls the predictor, writes."""
