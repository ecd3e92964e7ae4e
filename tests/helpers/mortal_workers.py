"""Worker processes that die: in a module that a fresh process can import."""

import os
import signal

from amplib.store import worker

_start = worker.start


def mortal(progress, stop):
    """Dies where no other has died before."""
    mark = os.environ["AMPLIFY_TEST_DIES"]
    if not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    _start(progress, stop)


def doomed(progress, stop):
    os.kill(os.getpid(), signal.SIGKILL)
