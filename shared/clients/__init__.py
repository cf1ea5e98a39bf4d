"""Clients of the planner, critic and generator services; one call, one typed answer."""
