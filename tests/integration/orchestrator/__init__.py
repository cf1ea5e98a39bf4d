"""Real Valkey, real Celery worker processes, scripted model services."""
