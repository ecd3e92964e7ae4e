"""A real Slurm of one node, for as long as a block lasts; what was in /etc is put back."""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

CONFIGURATION = Path("/etc/slurm/slurm.conf")  # srun within a job looks nowhere else
MUNGE_KEY = Path("/etc/munge/munge.key")
CPUS = 2
PATIENCE = 60

TEXT = """\
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs.txt
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MailProg=/bin/true
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory}
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class NoSlurm(Exception):
    """Why none can be started here, in one plain line."""


def ask(*command):
    """What one of Slurm's commands answers."""
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@contextmanager
def one_node_slurm(folder):
    """Start it, with its state and logs in ``folder``; yields the node's name.

    Raises:
        NoSlurm: if it is not installed, belongs to somebody, or does not come up.
    """
    if os.geteuid() != 0:
        raise NoSlurm("only root can start a Slurm")
    missing = [p for p in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(p) is None]
    if missing:
        raise NoSlurm(f"{missing[0]} is missing: workflow/system_packages.sh slurm")
    if CONFIGURATION.exists():
        raise NoSlurm(f"{CONFIGURATION} is there: this machine's Slurm is not ours")
    if not MUNGE_KEY.exists():
        raise NoSlurm(f"{MUNGE_KEY} is missing")
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "spool"):
        (folder / name).mkdir()
    memory = int(ask("slurmd", "-C").partition("RealMemory=")[2].split()[0]) * 9 // 10
    running = []
    try:
        CONFIGURATION.write_text(TEXT.format(host=host, folder=folder, cpus=CPUS, memory=memory))
        running.append(_munged(folder))
        for command in (["slurmctld", "-D", "-c"], ["slurmd", "-D", "-N", host]):
            with (folder / f"{command[0]}.out").open("w") as out:
                running.append(subprocess.Popen(command, stdout=out, stderr=out))
        deadline = time.monotonic() + PATIENCE
        while _state() != "idle":
            if time.monotonic() > deadline:
                raise NoSlurm(f"no idle node after {PATIENCE} s: {_last_words(folder)}")
            time.sleep(0.5)
        yield host
    finally:
        with suppress(subprocess.CalledProcessError, FileNotFoundError):
            ask("scancel", "--user=root", "--full")
        steps = _steps(running[-1].pid) if running else []
        for process in reversed(running):
            _end(process)
        for step in filter(_alive, steps):  # without munged they wait for ever
            os.kill(step, signal.SIGKILL)
        CONFIGURATION.unlink(missing_ok=True)


def _end(process):
    process.terminate()
    try:
        process.wait(PATIENCE / 4)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _steps(slurmd):
    """Processes that look after jobs: slurmd's children, which outlive it."""
    deadline = time.monotonic() + PATIENCE / 4
    while (pids := _children(slurmd)) and time.monotonic() < deadline:
        time.sleep(0.5)
    return pids


def _children(pid):
    return [int(k) for k in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _alive(pid):
    command = Path(f"/proc/{pid}/cmdline")
    return command.exists() and command.read_bytes().startswith(b"slurmstepd")


def _munged(folder):
    """Munge's daemon, as its own user, in the places where its library looks."""
    place = Path("/run/munge")
    place.mkdir(exist_ok=True)
    shutil.chown(place, "munge", "munge")
    with (folder / "munged.out").open("w") as out:
        return subprocess.Popen(
            ["munged", "--foreground"], user="munge", group="munge", stdout=out, stderr=out
        )


def _state():
    try:
        return ask("sinfo", "--noheader", "--format=%T")
    except subprocess.CalledProcessError:
        return "down"


def _last_words(folder):
    for name in ("munged.out", "slurmctld.out", "slurmd.out", "slurmctld.log", "slurmd.log"):
        path = folder / name
        lines = path.read_text().splitlines() if path.exists() else []
        for line in reversed(lines):
            if "error" in line or "fatal" in line:
                return f"{name}: {line}"
    return "they do not say why"
