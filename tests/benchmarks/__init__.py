"""Measurements: they record numbers and assert nothing. ``python -m tests.benchmarks``."""
