"""What belongs to images beside their class: attributes and words."""
