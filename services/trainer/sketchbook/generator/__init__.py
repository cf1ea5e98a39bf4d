"""Building, training, measuring and exporting the Sketchbook picture generator."""
