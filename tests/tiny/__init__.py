"""Random models of the production classes, small enough for tests: they draw noise."""
