"""Labels of images: attribute vectors, words, and few classes for many images."""
