"""The critic service: ``POST /v1/verdicts`` judges one picture.

Port 8202 by default, no queue, environment prefix ``CRITIC_``.
"""
