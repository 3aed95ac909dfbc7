"""From the credentials to the first charges in the ledger, with every call to the provider taking 300 ms.

For each provider: the test of the connection, then a sync, until its charges are in the ledger and a chart can be
drawn. The servers are those of the tests, on this machine, with an account of few rows: what is measured is how many
calls stand one after the other, not how fast rows are loaded. The history asked for is a new connection's.

    python benchmarks/latency.py --milliseconds 300 --json

Each line says the seconds to the first charges and how many calls were made by then. The last line is JSON:
`ratio_NAME` is the provider's seconds over the 120 that are allowed (below 1 is within).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pydantic import SecretStr

from accounts import connections, credentials
from accounts.home import Settings, lake_address
from accounts.vault import new_key
from connectors import sources
from jobs import connecting
from jobs.sync import Tools, sync
from ledger.lake import Lake
from tests import test_connectors_anthropic_live as anthropic
from tests import test_connectors_aws_live as aws
from tests import test_connectors_azure_live as azure
from tests import test_connectors_gcp_live as gcp
from tests import test_connectors_openai_live as openai
from tests.live_contract import Case
from tests.loopback.aws_front import AwsFront, Role
from tests.loopback.azure_front import AzureFront
from tests.loopback.azure_storage import Azurite
from tests.loopback.gcp_bigquery import Google

ALLOWED: Final = 120


class FirstNumber(BaseException):
    """The charges are there; the rest of the history is not waited for."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What it took until the first charges were in the ledger."""

    tested: float
    seconds: float
    calls: int


@contextmanager
def of_openai(_: Path) -> Generator[Case]:
    """An organization."""
    case = openai.OpenAICase()
    with case.api:
        yield case


@contextmanager
def of_anthropic(_: Path) -> Generator[Case]:
    """An organization."""
    case = anthropic.AnthropicCase()
    with case.api:
        yield case


@contextmanager
def of_aws(folder: Path) -> Generator[Case]:
    """A payer account behind a role, with an export."""
    with AwsFront() as front:
        front.reset()
        front.state.roles[aws.ROLE] = Role(external_id=aws.EXTERNAL)
        aws.s3(front).create_bucket(Bucket=aws.BUCKET)
        yield aws.AwsCase(front, folder, datetime.now(UTC).replace(microsecond=0))


@contextmanager
def of_azure(folder: Path) -> Generator[Case]:
    """A subscription with an export."""
    with Azurite(folder) as azurite, AzureFront(azurite) as front:
        front.reset()
        front.now = azure.NOW
        front.state.exports = [azure.export("daily")]
        front.state.runs = [azure.run("Completed")]
        with azurite.service() as service:
            service.create_container(azure.BOX)
        yield azure.AzureCase(front)


@contextmanager
def of_gcp(_: Path) -> Generator[Case]:
    """A billing export."""
    with Google(gcp.NOW) as server:
        server.rows = [gcp.charge("202610", 3, "10.5"), gcp.charge("202611", 2, "4.25")]
        yield gcp.GcpCase(server)


PROVIDERS: Final[dict[str, Callable[[Path], Any]]] = {
    "aws": of_aws,
    "azure": of_azure,
    "gcp": of_gcp,
    "openai": of_openai,
    "anthropic": of_anthropic,
}


def main() -> None:
    """Measure every provider and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--milliseconds", type=int, default=300, help="what a call takes")
    parser.add_argument("--rows", type=int, default=0, help="taken and not used: what is measured is waiting")
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    options = parser.parse_args()
    result: dict[str, Any] = {"benchmark": "latency", "milliseconds": options.milliseconds}
    for name, opened in PROVIDERS.items():
        with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as case:
            case.server.latency = options.milliseconds / 1000
            found = first_number(case, Path(folder) / "home")
            case.server.latency = 0
        if not options.json:
            print(f"{name}: {found.seconds:.1f} s, of them {found.tested:.1f} s of testing; {found.calls} calls")
        result |= {f"{name}_seconds": round(found.seconds, 1), f"{name}_calls": found.calls}
        result[f"ratio_{name}"] = round(found.seconds / ALLOWED, 3)
    print(json.dumps(result))


def first_number(case: Case, home: Path) -> Reached:
    """Connect the case's account and sync it until its first charges are in the ledger."""
    settings = Settings(home=home, master_key=SecretStr(new_key()))
    history = sources.provider(case.provider.name).setup.history_days
    provider = replace(case.provider, setup=replace(case.provider.setup, history_days=history))
    tools = Tools(find=lambda _: provider, now=lambda: case.now, say=lambda _: stop_at_charges(settings))
    connection = connections.new("default", "account", provider.name)
    credentials.seal(settings, connection, provider.setup.fields, case.values)
    before, begun = len(case.server.requests), time.perf_counter()
    diagnoses = connecting.test(settings, connection, tools)
    if not connecting.is_sound(diagnoses):
        raise AssertionError([d.message for d in diagnoses if not d.passed])
    tested = time.perf_counter() - begun
    connections.add(settings, connection)
    try:
        run = sync(settings, "default", "account", tools=tools)
    except FirstNumber:
        return Reached(tested, time.perf_counter() - begun, len(case.server.requests) - before)
    raise AssertionError(run.message)


def stop_at_charges(settings: Settings) -> None:
    """End the sync once the rollup that every chart reads has charges."""
    with Lake(lake_address(settings, "default")) as lake:
        if lake.records("SELECT 1 AS held FROM daily_spend LIMIT 1"):
            raise FirstNumber


if __name__ == "__main__":
    main()
