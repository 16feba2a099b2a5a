"""A real Slurm with three virtual nodes on one machine, without an init system."""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
NODES = 3
LONGEST = 60.0
"""Maximum seconds to wait for a daemon."""
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={munge},cred_expire=5
CredType=cred/munge
SlurmctldPort={port}
StateSaveLocation={folder}/ctld
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,batch_sched_delay=0,requeue_delay=1,sched_min_interval=0
MaxArraySize=1001
MaxJobCount=20000
ReturnToService=2
SlurmdTimeout=5
MpiDefault=none
SwitchType=switch/none
PropagateResourceLimits=NONE
SlurmdParameters=config_overrides
KillWait=2
MessageTimeout=4
MinJobAge=300
MailProg=/bin/true
NodeName=n[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs=4 RealMemory=8000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=1:00:00 State=UP OverSubscribe=NO
"""


def missing() -> str:
    """Return the missing programs of Slurm and how to install them; empty if Slurm is installed."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    return f"{', '.join(absent)} not found: apt-get install slurm-wlm" if absent else ""


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


class Slurm:
    """A cluster that runs from `start` to `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self.env: Mapping[str, str] = {"SLURM_CONF": str(self.conf), "PATH": _path()}
        """Environment of commands that use the cluster."""
        self._munged: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start munge, the controller and the nodes."""
        for name in ("ctld", "munge", *(f"spool/n{k}" for k in range(1, NODES + 1))):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "munge").chmod(0o755)
        key = self.folder / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        munge = self.folder / "munge"
        words = ["munged", "--foreground", "--force", f"--socket={munge / 's'}", f"--key-file={key}"]
        words += [f"--pid-file={munge / 'pid'}", f"--seed-file={munge / 'seed'}", f"--log-file={munge / 'log'}"]
        self._munged = subprocess.Popen(
            words, env=self._environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._until((munge / "s").exists, "munged")
        first = _free_ports(NODES + 1)
        self.conf.write_text(
            CONFIGURATION.format(
                host=socket.gethostname().partition(".")[0],
                user=getpass.getuser(),
                folder=self.folder,
                munge=munge / "s",
                port=first,
                first=first + 1,
                last=first + NODES,
                nodes=NODES,
            )
        )
        self.start_controller()
        for k in range(1, NODES + 1):
            self.start_node(k)
        self.wait_for_nodes()

    def start_controller(self) -> None:
        """Start the controller with its saved state."""
        self.call("slurmctld", "-f", str(self.conf))
        self._until(lambda: self.answers("scontrol", "ping"), "slurmctld")

    def start_node(self, number: int) -> None:
        """Start the daemon of a node."""
        self.call("slurmd", "-f", str(self.conf), "-N", f"n{number}")

    def wait_for_nodes(self) -> None:
        """Wait until all nodes accept jobs."""
        states = ("idle", "mixed", "allocated", "completing")

        def ready() -> bool:
            node_states = self.call("sinfo", "--noheader", "--Node", "--format=%T").split()
            return len(node_states) == NODES and all(
                each.strip("*") in states and "*" not in each for each in node_states
            )

        self._until(ready, "the nodes")

    def kill_node(self, number: int) -> None:
        """Kill the daemon of a node; its jobs continue until the controller notices."""
        self._kill(self.folder / f"slurmd.n{number}.pid")

    def stop_controller(self) -> None:
        """Stop the controller, which saves its state. After a kill, it would start the running jobs a second time."""
        self._kill(self.folder / "slurmctld.pid", signal.SIGTERM)

    def call(self, *words: str) -> str:
        """Run a command and return its output. Raises CalledProcessError."""
        process = subprocess.run(
            words, env=self._environment(), capture_output=True, check=True, text=True, timeout=LONGEST
        )
        return process.stdout

    def answers(self, *words: str) -> bool:
        """Return whether a daemon answers a ping with this command."""
        try:
            return "is UP" in self.call(*words)
        except subprocess.SubprocessError:
            return False

    def unfinished_tasks(self) -> list[str]:
        """Return a line for each task that did not end: its id and its state."""
        return self.call("squeue", "--noheader", "--array", "--format=%i %T").splitlines()

    def running_tasks(self) -> list[str]:
        """Return the ids of the running tasks in sorted order."""
        return sorted(self.call("squeue", "--noheader", "--array", "--states=running", "--format=%i").split())

    def wait_for_jobs(self, seconds: float = 300.0) -> None:
        """Wait until no job waits or runs."""
        self._until(lambda: not self.unfinished_tasks(), "the jobs", seconds)

    def stop(self) -> None:
        """Cancel all jobs and stop all daemons."""
        with contextlib.suppress(subprocess.SubprocessError):
            self.call("scancel", f"--user={getpass.getuser()}")
            self._until(lambda: not self.unfinished_tasks(), "the cancelled jobs", 20)
        for path in [*sorted(self.folder.glob("slurmd.*.pid")), self.folder / "slurmctld.pid"]:
            self._kill(path)
        if self._munged is not None:
            self._munged.terminate()
            self._munged.wait()

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.env}

    def _kill(self, pid_file: Path, signal_number: int = signal.SIGKILL) -> None:
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError):
            process = int(pid_file.read_text())
            os.kill(process, signal_number)
            self._until(lambda: not _is_alive(process), f"the end of {pid_file.stem}")
            pid_file.unlink(missing_ok=True)

    def _until(self, is_true: Callable[[], bool], what: str, seconds: float = LONGEST) -> None:
        deadline = time.monotonic() + seconds
        while not is_true():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {seconds:.0f} s; look into {self.folder}")
            time.sleep(0.1)


def _is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _free_ports(count: int) -> int:
    """Return the first of a range of unused ports. Processes that start at the same time begin at different ranges."""
    ranges = list(range(20000, 32000, count))
    start = os.getpid() % len(ranges)
    for first in ranges[start:] + ranges[:start]:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + count):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    raise OSError("no free ports")


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Slurm]:
    """Yield a running Slurm and stop it at the end."""
    slurm = Slurm(folder)
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()
