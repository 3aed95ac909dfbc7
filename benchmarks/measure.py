"""Run a function in a process of its own and tell how long it took and how much memory it held."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """Wall and CPU seconds of one call, imports included, and peak memory of its process in MB."""

    seconds: float
    cpu: float
    megabytes: float
    value: Any


def measured(function: Callable[..., Any], *arguments: Any) -> Measured:  # noqa: ANN401 - whatever the function takes
    """Measure one call in a fresh process."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(sender, function, arguments))
    process.start()
    sender.close()
    try:
        result: Measured = receiver.recv()
    finally:
        process.join()
    return result


def _run(sender: Any, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:  # noqa: ANN401
    cpu, wall = time.process_time(), time.perf_counter()
    value = function(*arguments)
    seconds, used = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sender.send(Measured(seconds, used, peak, value))
