"""Tests mirror the source paths; fakes and real servers for them live beside this file."""
