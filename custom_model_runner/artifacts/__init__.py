"""What the files of models tell without being opened: nothing here runs what stands in them."""
