"""Trains and measures the Sketchbook planner and critic, two tiny Qwen3-VL models."""
