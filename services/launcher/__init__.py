"""The ``interleave`` command: one machine, nothing installed.

Starts Valkey, SeaweedFS and every service as child processes and keeps them running; sends
requests to the public API and writes the results to a folder. Port: none of its own (the
gateway's is 8080 unless told otherwise). Queue: none. Environment prefix: ``LAUNCHER_``.
"""
