"""What is said to planner and critic, and how their answers are read; packs are data."""
