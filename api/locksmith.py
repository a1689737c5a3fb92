"""Locksmith makes keys, and tokens for those who work here: `python -m api.locksmith token --role operator`."""

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta

from api.keys import PUBLIC, Keyring, make, public_pem
from api.tokens import ROLES, Tokens
from schemas.settings import Settings

LONGEST_HOURS = 24


def main(words: Sequence[str] | None = None) -> int:
    """Do what was asked; the exit code."""
    given = _parser().parse_args(words)
    keyring = Keyring(Settings().key_folder())
    match given.what:
        case "token":
            token = Tokens(keyring).issue(given.subject, given.role, timedelta(hours=given.hours))
            sys.stdout.write(f"{token}\n")
        case "rotate":
            sys.stdout.write(
                f"{make(keyring.folder)} signs from now on; the older ones verify until they are retired\n"
            )
        case "retire":
            return _retire(keyring, given.kid)
        case "list":
            signing = keyring.signing().kid
            for key in keyring.all():
                does = "signs" if key.kid == signing else "verifies"
                sys.stdout.write(f"{key.kid}  {does}\n")
        case "public":
            for key in keyring.all():
                sys.stdout.write(f"# {key.kid}{PUBLIC}\n{public_pem(key).decode()}")
    return 0


def _retire(keyring: Keyring, kid: str) -> int:
    there = {key.kid for key in keyring.all()}
    if kid not in there or kid == keyring.signing().kid:
        said = "signs; rotate first" if kid in there else f"is not there; there are {', '.join(sorted(there))}"
        sys.stderr.write(f"{kid} {said}\n")
        return 1
    for file in (keyring.folder / f"{kid}.pem", keyring.folder / f"{kid}{PUBLIC}"):
        file.unlink(missing_ok=True)
    sys.stdout.write(f"what {kid} has signed is not believed any more\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m api.locksmith", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    token = what.add_parser("token", help="a token for somebody who works here")
    token.add_argument("--role", action="append", required=True, choices=ROLES, help="may be there several times")
    token.add_argument("--subject", default="staff", help="who it is; logs and quotas know them by it")
    token.add_argument("--hours", type=int, default=8, choices=range(1, LONGEST_HOURS + 1), metavar="1…24")
    what.add_parser("rotate", help="a new key, which signs from now on")
    retire = what.add_parser("retire", help="believe no more what an old key has signed")
    retire.add_argument("kid")
    what.add_parser("list", help="the keys there are")
    what.add_parser("public", help="the public halves, for services that only verify")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
