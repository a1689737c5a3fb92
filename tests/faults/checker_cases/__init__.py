"""Cases are runs on paper: evidence as a run would leave it, small enough to be spoiled by hand."""
