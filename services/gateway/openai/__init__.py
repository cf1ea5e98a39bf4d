"""The shapes that existing image and chat clients speak, on top of trajectories.

Nothing new happens behind these doors: each picture is a trajectory with its critic loop.
"""
