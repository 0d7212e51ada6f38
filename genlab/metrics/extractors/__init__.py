"""Networks and rules that turn images into the features that scores are measured in."""
