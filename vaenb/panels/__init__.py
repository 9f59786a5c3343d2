"""What each panel shows: ipywidgets and bqplot around a view model of the same name. No TensorFlow."""
