"""Supervised fine-tuning of planner and critic with TRL, and what GRPO shares with it."""
