"""Fit a network on scikit-learn's own iris data; write model.pth and sample_input.csv."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from network import Network
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

STEPS = 200


def train(folder: Path) -> None:
    """Write the artifact and the features of the rows it has not seen."""
    torch.manual_seed(0)
    irises = load_iris(as_frame=True)
    known, unseen, answers, withheld = train_test_split(irises.data, irises.target, test_size=20, random_state=0)
    given, wanted = torch.tensor(known.to_numpy("float32")), torch.tensor(answers.to_numpy())
    network = Network(given.mean(dim=0), given.std(dim=0))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(STEPS):
        optimizer.zero_grad()
        torch.nn.functional.nll_loss(network(given).log(), wanted).backward()
        optimizer.step()

    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network, folder / "model.pth")
    with torch.no_grad():
        found = network(torch.tensor(unseen.to_numpy("float32"))).argmax(dim=1)
    is_right = found == torch.tensor(withheld.to_numpy())
    unseen.to_csv(folder / "sample_input.csv", index=False)
    print(f"wrote {folder / 'model.pth'}: {is_right.double().mean():.0%} right on unseen rows")
    print(f"wrote {folder / 'sample_input.csv'}: those {len(unseen)} rows, features only")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent, help="where to write")
    train(parser.parse_args().folder)
