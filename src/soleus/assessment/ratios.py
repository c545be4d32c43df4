"""What one answer tells about one condition against all others."""

from __future__ import annotations

import numpy as np

from soleus.model.network import Array, Network


def likelihood_ratios(network: Network, item: str) -> Array:
    """P(value | cause) / P(value | another cause), the others weighted by how common they are, shape (causes, values). Nothing else is
    taken to be present besides."""
    prior, shares = network.prior(None, None, None), network.shares(item)
    others = (prior @ shares - prior[:, None] * shares) / (1 - prior)[:, None]
    return np.asarray(shares / np.maximum(others, 1e-12))
