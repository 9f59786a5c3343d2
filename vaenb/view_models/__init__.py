"""What each panel knows and computes: plain classes on numpy, without a widget, a kernel or TensorFlow."""
