"""What step 6 counts and compares with; `vaenb.evaluation` puts it together. NumPy ring."""
