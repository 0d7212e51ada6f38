"""Labels of images beside classes: attribute vectors and words."""
