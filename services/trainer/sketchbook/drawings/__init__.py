"""How each thing of the Sketchbook world is drawn, one module per family of things."""
