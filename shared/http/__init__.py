"""What every FastAPI service has alike: health, metrics, problems, request ids."""
