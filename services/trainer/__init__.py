"""Batch jobs: the Sketchbook world, its data, training and evaluation. No port, no queue."""
