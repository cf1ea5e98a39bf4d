"""Trying the judged benchmarks out: small Sketchbook copies of each, and a judge that looks."""
