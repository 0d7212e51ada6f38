"""From tensors to pictures, for callbacks, sampling and pages alike."""
