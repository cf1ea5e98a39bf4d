"""Carries trajectories from request to result: Celery workers and a reaper, no GPU.

Queues: plan, critique, generate, speculate, deliver, control. Environment prefix:
``ORCHESTRATOR_``. Entry points: ``python -m services.orchestrator worker|reaper|cell|diagram``.
"""
