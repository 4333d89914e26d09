"""The network's class: it is imported where the model is trained and where it is loaded."""

from __future__ import annotations

import torch
from torch import nn


class Network(nn.Module):
    """From n x 4 measurements to n x 3 probabilities."""

    def __init__(self, mean: torch.Tensor, deviation: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.layers = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3), nn.Softmax(dim=1))

    def forward(self, measurements: torch.Tensor) -> torch.Tensor:
        """Scale the measurements, which come as they are in the input, and weigh the three species."""
        return self.layers((measurements - self.mean) / self.deviation)
