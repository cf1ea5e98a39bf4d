"""Where state and images are kept: Redis for records and events, S3 for bytes and journal."""
