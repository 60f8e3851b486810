"""Kill a process at any of the places where it touches files.

The call runs in a child that was forked for it, and dies there as by kill -9: no `finally`, no
`with` ends. An audit hook counts what Python does with files below a folder, and with databases.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

TOUCHES = {
    *("open", "sqlite3.connect", "ctypes.dlsym"),
    *("os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "shutil.rmtree"),
}
_ENDED, _FAILED, _KILLED = 0, 1, 9


def killed_everywhere(call: Callable[[], object], prepare: Callable[[], Path]) -> Iterator[Path]:
    """For each place: the folder that `prepare` has made for the call, after it died there.

    Ends when the call was let finish; the last folder is that one's.
    """
    at = 0
    while True:
        at += 1
        folder = prepare()
        was_killed = killed_before(at, call, folder)
        yield folder
        if not was_killed:
            assert at > 10, "the call touches files in more places than these"
            return


def killed_before(number: int, call: Callable[[], object], folder: Path) -> bool:
    """Was the call killed before it touched a file for the `number`-th time? Else it has ended."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        code = _FAILED
        try:
            sys.addaudithook(_Killer(number, str(folder)))
            call()
            code = _ENDED
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (_ENDED, _KILLED), f"the call failed by itself before place {number}"
    return code == _KILLED


class _Killer:
    def __init__(self, number: int, folder: str) -> None:
        self._left = number
        self._folder = folder

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in TOUCHES and self._concerns(event, arguments):
            self._left -= 1
            if self._left == 0:
                os._exit(_KILLED)

    def _concerns(self, event: str, arguments: tuple[object, ...]) -> bool:
        if event == "ctypes.dlsym":
            return arguments[1] == "renameat2"
        named = [os.fsdecode(each) for each in arguments if isinstance(each, str | bytes | Path)]
        return any(self._folder in name for name in named)
