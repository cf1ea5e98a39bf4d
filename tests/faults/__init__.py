"""The fault harness: breaks the running stack in every way we can think of and looks what is lost.

``python -m tests.faults`` starts real processes (Valkey, SeaweedFS, gateway, two workers, reaper,
and three model services that answer by script), injects faults under a seed, and checks every
accepted trajectory over HTTP. It only ever talks to 127.0.0.1.
"""
