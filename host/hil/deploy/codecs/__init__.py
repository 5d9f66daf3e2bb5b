"""Which codec packs a bundle's payload: a choice of deployment, not of training."""
