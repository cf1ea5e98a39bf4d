"""Benchmarks: items, runs through the service, judging, exact scoring, reports."""
