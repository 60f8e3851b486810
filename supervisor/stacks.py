"""Where a task stands, as text: for hang reports and for `waiting_on` in the status."""

import os
import traceback
from collections.abc import Iterator

from trio.lowlevel import Task

FRAMES_SHOWN = 4
TASKS_SHOWN = 4


def task_stack(task: Task) -> str:
    """The whole await chain of a task, outermost call first, with source lines."""
    summary = traceback.StackSummary.extract(task.iter_await_frames())
    return f"task {task.name}\n" + "".join(summary.format())


def waiting_on(task: Task) -> str:
    """One line: `run batcher.py:88 > receive inbox.py:301`, and the same for its helper tasks."""
    tasks = list(_with_helpers(task))
    lines = [_short(each) for each in tasks[:TASKS_SHOWN]]
    if len(tasks) > TASKS_SHOWN:
        lines.append(f"and {len(tasks) - TASKS_SHOWN} more")
    return "; ".join(line for line in lines if line)


def _short(task: Task) -> str:
    calls = [
        f"{frame.f_code.co_name} {os.path.basename(frame.f_code.co_filename)}:{line}"
        for frame, line in task.iter_await_frames()
        if not str(frame.f_globals.get("__name__", "")).startswith("trio.")
    ]
    return " > ".join(calls[-FRAMES_SHOWN:])


def _with_helpers(task: Task) -> Iterator[Task]:
    yield task
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            yield from _with_helpers(child)
