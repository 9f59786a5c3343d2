"""What the thresholds of step 5 are made of; `vaenb.thresholding` offers them. NumPy ring."""
