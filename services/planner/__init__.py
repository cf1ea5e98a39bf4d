"""The planner service: ``POST /v1/plans`` streams a plan step by step.

Port 8201 by default, no queue, environment prefix ``PLANNER_``.
"""
