"""How pictures are drawn: scales, ticks and SVG, for report, view models and panels. NumPy only."""
