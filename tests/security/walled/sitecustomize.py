"""Puts the wall around a process that is started with this folder on ``PYTHONPATH``."""

from tests.security.walls import Wall

Wall().standing = True
