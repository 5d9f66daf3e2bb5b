"""`hil train`: trains a scheme on a data set, or finds that it has been trained already."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hil.cli import options

if TYPE_CHECKING:
    from hil.bundle import Manifest


Epochs = Annotated[int | None, typer.Option("--epochs", min=1)]
Rho = Annotated[
    float | None,
    typer.Option("--rho", min=0, max=1, help="Share of importance the local channels must hold."),
]
Lambda = Annotated[
    float | None, typer.Option("--lambda", min=0, max=1, help="Weight of the task against the skewness.")
]
Centroids = Annotated[int | None, typer.Option("--centroids", min=2, max=32, help="Payload levels.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Any other setting of the recipe.")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Also put the bundle here.")]
Size = Annotated[
    str, typer.Option("--recipe", help="full, or small: less accuracy, in an hour of two CPU cores.")
]
Device = Annotated[str | None, typer.Option("--device", help="What trains: cpu, cuda, or auto.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Ignore what a training cut short has left.")]
Plot = Annotated[Path | None, typer.Option("--plot", metavar="FILE.svg", help="Draw every epoch's figures.")]
Again = Annotated[bool, typer.Option("--again", help="Train although the bundle is in the cache.")]


def train(
    scheme: options.Scheme = None,
    dataset: options.Dataset = None,
    seed: options.TrainingSeed = 0,
    epochs: Epochs = None,
    rho: Rho = None,
    lambda_: Lambda = None,
    centroids: Centroids = None,
    settings: Settings = None,
    recipe_size: Size = "full",
    device: Device = None,
    out: Out = None,
    plot: Plot = None,
    again: Again = False,
    fresh: Fresh = False,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
    verbose: options.Verbose = False,
) -> int:
    """Train a network and cut it in two: the result is a bundle."""
    from hil import bundle, data
    from hil.cli.training_bar import TrainingBar
    from hil.pipeline import DATASET, SCHEME
    from hil.report.training_plot import check
    from hil.schemes import registry
    from hil.training.api import cached_bundle_path, train_bundle
    from hil.training.recipe import override

    scheme, dataset = scheme or SCHEME, dataset or DATASET
    named = {"epochs": epochs, "rho": rho, "lambda_": lambda_, "centroids": centroids, "device": device}
    changes = {key: value for key, value in named.items() if value is not None} | _pairs(settings or [])
    recipe = override(registry.recipe(scheme, data.get(dataset), recipe_size), changes)
    if plot is not None:
        check(plot)
    path = cached_bundle_path(scheme, dataset, seed, recipe)
    cached = path.exists() and not again and not fresh
    if not cached:
        with TrainingBar() as bar:
            train_bundle(scheme, dataset, None, seed, data_dir, path, bar.report, fresh, recipe)
    if plot is not None:
        _plot(path, plot, f"{scheme} on {dataset}, seed {seed}")
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        _copy(path, out)
        path = out
    _print(path, bundle.read_manifest(path), cached, rho_of(recipe), as_json)
    return 0


def _copy(bundle: Path, out: Path) -> None:
    """The bundle and, where there are any, the figures of its training."""
    from hil.training.metrics import path_beside

    shutil.copyfile(bundle, out)
    if path_beside(bundle).exists():
        shutil.copyfile(path_beside(bundle), path_beside(out))


def _plot(bundle: Path, target: Path, title: str) -> None:
    from hil.report.training_plot import draw
    from hil.training import metrics

    draw(metrics.read(metrics.path_beside(bundle)), target, title)


def rho_of(recipe: object) -> float | None:
    """The skewness that was aimed at, where the scheme has one."""
    value = getattr(recipe, "rho", None)
    return None if value is None else float(value)


def _pairs(settings: list[str]) -> dict[str, Any]:
    from hil.errors import UsageError

    pairs = dict(setting.partition("=")[::2] for setting in settings if "=" in setting)
    if len(pairs) != len(settings):
        raise UsageError(
            f"--set takes NAME=VALUE, each name once, not {' '.join(settings)}", "for example --set batch=64"
        )
    return pairs


def _print(path: Path, manifest: Manifest, cached: bool, rho: float | None, as_json: bool) -> None:
    metrics = manifest.metrics
    if as_json:
        report = {"bundle": str(path.resolve()), "cached": cached, "rho": rho, "metrics": metrics}
        head = {"scheme": manifest.scheme, "dataset": manifest.dataset, "seed": manifest.seed}
        sys.stdout.write(json.dumps({**head, **report}, indent=2) + "\n")
        return
    from rich.console import Console

    from hil.report.training import training_table

    console = Console()
    console.print(training_table(manifest, rho))
    console.print(f"bundle: {path}{' (from the cache)' if cached else ''}", markup=False, soft_wrap=True)
