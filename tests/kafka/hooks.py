"""Steps at which a process kills itself, or freezes as SIGSTOP does it, until it is sent SIGCONT."""

from __future__ import annotations

import functools
import os
import signal
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

SIGNALS = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}


class Hook:
    """Acts at each of some steps, one after the other, when it has been come to for the nth time."""

    def __init__(self, steps: Sequence[str], nth: int, number: signal.Signals) -> None:
        self._steps = list(steps)
        self._nth = nth
        self._signal = number
        self._seen = 0
        self._lock = threading.Lock()

    def waits_for(self, step: str) -> bool:
        """Whether that step is the next one."""
        return self._steps[:1] == [step]

    def reach(self, step: str) -> None:
        """Come to a step; it may be the last one."""
        with self._lock:
            if not self.waits_for(step):
                return
            self._seen += 1
            if self._seen == self._nth:
                self._seen = 0
                del self._steps[0]
                os.kill(os.getpid(), self._signal)


def replace(module: ModuleType, name: str, by: object) -> None:
    """Put something else in the place of what the module has imported under a name."""
    assert hasattr(module, name)
    setattr(module, name, by)


def after(owner: Any, name: str, then: Callable[[], None]) -> None:
    """Have something done after each call."""
    call = getattr(owner, name)

    @functools.wraps(call)
    def called(*args: Any, **more: Any) -> Any:
        result = call(*args, **more)
        then()
        return result

    setattr(owner, name, called)
