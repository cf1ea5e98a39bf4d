"""What can go wrong in the launcher; each message says what to do.

LauncherError
├── AlreadyRunningError     another launcher owns the data folder
├── NotRunningError         no stack on the data folder
├── StackFailedError        a process does not start, or dies again and again
├── RefusedError            the service refused the request (a problem document)
└── UnreachableError        the service does not answer any more
"""

from __future__ import annotations

from shared.errors import InterleaveError


class LauncherError(InterleaveError):
    """Base of the launcher's errors."""

    code = "launcher_error"
    title = "The local stack cannot do this"


class AlreadyRunningError(LauncherError):
    """Another launcher owns the data folder."""

    title = "A stack is already running on this data folder"


class NotRunningError(LauncherError):
    """No stack runs on the data folder."""

    title = "No stack is running on this data folder"


class StackFailedError(LauncherError):
    """A process does not start, or dies again and again."""

    title = "The stack could not be kept running"


class RefusedError(LauncherError):
    """The service refused the request; ``detail`` is the problem in words."""

    title = "The request was refused"


class UnreachableError(LauncherError):
    """The service does not answer any more."""

    title = "The service does not answer"
