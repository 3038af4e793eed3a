"""Runs one command and says what it cost and what it printed."""
import hashlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from statistics import median


@dataclass
class Sample:
    cpu: float  # user + system seconds, children included
    wall: float
    status: int
    output: str  # digest of standard output
    error: str  # the last line of standard error


@dataclass
class Runner:
    """One way of running a workload: natively, under QEMU or under a tier of Tiercel."""

    name: str
    rooted_prefix: list  # before a program of the root
    plain_prefix: list  # before a static kernel
    root: str = ""
    native: bool = False
    program_in_root: bool = False  # the program is named as the guest sees it

    def command(self, workload):
        if self.native:
            return workload.native
        if not workload.rooted:
            return self.plain_prefix + workload.guest
        program = workload.guest[0] if self.program_in_root else self.root + workload.guest[0]
        return self.rooted_prefix + [program] + workload.guest[1:]


def run_once(command, cpus, directory, stdin, timeout):
    """Raises nothing for a failing command: a failure is a Sample too. The command inherits the pinning of this process, which
    lets subprocess use vfork: a fork of the interpreter would be charged to the command."""
    os.sched_setaffinity(0, cpus)
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(directory), "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, open(directory / stdin if stdin else os.devnull, "rb") as source:
        start = time.monotonic()
        process = subprocess.Popen(command, stdin=source, stdout=out, stderr=err, cwd=directory, env=env, start_new_session=True)
        timer = threading.Timer(timeout, lambda: os.killpg(process.pid, signal.SIGKILL))
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        lines = err.read().decode(errors="replace").strip().splitlines()
        return Sample(usage.ru_utime + usage.ru_stime, wall, process.returncode, hashlib.sha256(out.read()).hexdigest()[:16],
                      lines[-1][:160] if lines else "")


def measure(workload, runners, rounds, cpus, directory, timeout):
    """Interleaves the runners, `rounds` times. Returns {runner name: {cpu, wall, samples..., or problem}}."""
    samples, results, dead = {r.name: [] for r in runners}, {}, set()
    for _ in range(rounds):
        for runner in runners:
            command = runner.command(workload)
            if command is None or runner.name in dead:
                continue
            sample = run_once(command, cpus[: workload.cpus], directory, workload.stdin, timeout)
            samples[runner.name].append(sample)
            if sample.status != 0:
                dead.add(runner.name)
    expected = next((s.output for r in runners for s in samples[r.name] if s.status == 0), None)
    for runner in runners:
        done = samples[runner.name]
        if not done:
            continue
        bad = next((s for s in done if s.status != 0), None)
        entry = {"cpu": median(s.cpu for s in done), "wall": median(s.wall for s in done),
                 "cpu_samples": [s.cpu for s in done], "wall_samples": [s.wall for s in done]}
        if bad:
            entry["problem"] = ("signal %d" % -bad.status if bad.status < 0 else "status %d" % bad.status) + (": " + bad.error if bad.error else "")
        elif any(s.output != expected for s in done):
            entry["problem"] = "other output than " + runners[0].name
        results[runner.name] = entry
    return results
