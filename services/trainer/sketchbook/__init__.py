"""Sketchbook: a small drawn world whose pictures can be read back exactly."""
