"""python tests/chaos/run.py [CAMPAIGN…] [--seed S] [--tries N] [--only TEXT] [--keep]: break dispatch on purpose.

A campaign is a module here with a docstring and `def campaign(seed: int, tries: int) -> Result`. All that it chooses comes from
the seed, so that a failure comes back with the same seed and tries (or `--only`, where a campaign has named cases).
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import time
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parents[1]))

from chaos import rig

HERE = Path(__file__).parent
TOOLS = {"run", "rig"}


def campaigns() -> list[str]:
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in TOOLS and not path.stem.startswith("_"))


def first_line(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().partition("\n")[0]


def run(name: str, seed: int, tries: int | None) -> bool:
    """Run campaign NAME and print what became of it; whether it had no failure."""
    module = importlib.import_module(f"chaos.{name}")
    tries = tries if tries is not None else getattr(module, "TRIES", 20)
    print(f"{name}: {first_line(module)} seed {seed}, {tries} tries", flush=True)
    began = time.monotonic()
    result: rig.Result = module.campaign(seed, tries)
    for note in result.notes:
        print(f"  {note}")
    for failure in result.failures:
        print(f"  FAILED {failure}")
    seconds = time.monotonic() - began
    print(f"{name}: {result.tries} tries, {len(result.failures)} failures, {seconds:.0f} s (seed {seed})", flush=True)
    return not result.failures


def main() -> int:
    parser = argparse.ArgumentParser(description="Break dispatch on purpose; without a campaign: what there is.")
    parser.add_argument("campaign", nargs="*", help="'all': each of them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tries", type=int, help="how many; default: the campaign's own")
    parser.add_argument("--only", default="", help="only cases whose name has this in it")
    parser.add_argument("--keep", action="store_true", help="leave the scratch project where something failed")
    asked = parser.parse_args()
    known = campaigns()
    if not asked.campaign:
        for name in known:
            print(f"{name:13} {first_line(importlib.import_module(f'chaos.{name}'))}")
        return 0
    names = known if asked.campaign == ["all"] else asked.campaign
    if unknown := set(names) - set(known):
        parser.error(f"no campaign {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and the rig is taken down
    rig.ONLY, rig.KEEP = asked.only, asked.keep
    whole = [run(name, asked.seed, asked.tries) for name in names]
    return 0 if all(whole) else 1


if __name__ == "__main__":
    sys.exit(main())
