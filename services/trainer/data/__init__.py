"""Makes training data: prompts, trajectories by a teacher, steps, scores, filters, data sets."""
