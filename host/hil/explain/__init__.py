"""Feature importance against a frozen network's loss: integrated gradients, gradient saliency."""
