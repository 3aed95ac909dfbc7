"""Write the sample customer's files: `python -m sample_data.generate [--out DIR] [--seed N]`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from sample_data import FOLDER, anthropic, aws, azure, gcp, openai, usage
from sample_data.company import SEED, daily
from sample_data.truth import truth


def generate(out: Path, seed: int = SEED) -> None:
    """Write `files/` and `truth.json` into `out`; the same seed gives the same content everywhere."""
    folder = out / "files"
    made = daily(seed)
    tokens, requests = made.tokens.to_pylist(), made.requests.to_pylist()
    aws.write(folder, tokens, seed)
    azure.write(folder, tokens, seed)
    gcp.write(folder, tokens, seed)
    openai.write(folder, tokens, requests)
    anthropic.write(folder, tokens, requests)
    usage.write(folder, made, seed)
    bills = {
        "AWS": aws.bill(tokens, seed),
        "Microsoft": azure.bill(tokens, seed),
        "Google Cloud": gcp.bill(tokens, seed),
    }
    figures = truth(seed, made, bills)
    usage.write_invoices(folder, figures["billed"])
    (out / "truth.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m sample_data.generate", description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER.parent, help="folder that receives files/ and truth.json")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed gives other noise, the same structure")
    options = parser.parse_args(arguments)
    generate(options.out, options.seed)


if __name__ == "__main__":
    main()
