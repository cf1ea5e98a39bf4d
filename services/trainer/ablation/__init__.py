"""The published claims, re-tested on Sketchbook: rows of an ablation, measured in this process."""
