"""Single-step RL of the critic with TRL's GRPO; the step-wise reward draws and marks for real."""
