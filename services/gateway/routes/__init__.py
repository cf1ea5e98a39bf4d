"""The public HTTP surface: one file per resource; what they have in common is in ``access``."""
