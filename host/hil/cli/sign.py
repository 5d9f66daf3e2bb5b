"""`hil keygen` and `hil sign`: keys, and bundles signed by them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hil.cli import options
from hil.errors import UsageError

Name = Annotated[str, typer.Argument(help="What the key is called where it is trusted.")]
KeyFolder = Annotated[Path, typer.Option("--out", "-o", help="Where NAME.key and NAME.pub go.")]
BundleFile = Annotated[Path, typer.Argument(help="The bundle to sign.")]
Key = Annotated[Path | None, typer.Option("--key", help="The secret key that signs: NAME.key.")]
Check = Annotated[
    bool, typer.Option("--check", help="Say who of --trust signed it; the exit code is 2 if nobody did.")
]


def keygen(name: Name, out: KeyFolder = Path(), verbose: options.Verbose = False) -> int:
    """Make a pair of keys to sign bundles with: NAME.key is secret, NAME.pub is for whoever trusts it."""
    from hil.signing import keys

    secret, public = keys.make(name, out)
    typer.echo(f"{secret} is secret; whoever is to trust it needs the line of {public}")
    return 0


def sign(
    bundle: BundleFile,
    key: Key = None,
    check: Check = False,
    trust: options.Trust = None,
    verbose: options.Verbose = False,
) -> int:
    """Sign a bundle. The signature goes beside it, into BUNDLE.sig; the bundle stays as it is."""
    from hil.signing import keys, signature

    if check:
        if trust is None:
            raise UsageError("nobody is trusted", "name a file of public keys: --trust KEYS")
        signer = signature.require(bundle, keys.trusted(trust))
        typer.echo(f"{bundle} is signed by {signer.name} ({signer.key_id})")
        return 0
    if key is None:
        raise UsageError("nothing to sign with", "give --key NAME.key; hil keygen NAME makes one")
    typer.echo(str(signature.sign(bundle, keys.load_secret(key))))
    return 0
