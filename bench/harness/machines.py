"""Whole machines: what is run in the guest, how it gets there, and the table of ratios."""
import contextlib
import gzip
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from . import cpio


@dataclass
class Workload:
    name: str
    kind: str
    command: str  # of init's shell
    goal: float = 0  # least ratio of QEMU's time and ours on the model max
    goal_a72: float = 0  # on cortex-a72; 0: the same
    kernel: str = ""  # the program of bench/kernels that it needs
    disk: bool = False
    net: bool = False
    cpus: int = 1


def _kernel(name, kind, iterations, goal):
    return Workload(name, kind, f"/work run {name} 1 /k/{name} {iterations}", goal, kernel=name)


def _os(name, count, goal, goal_a72=0, **more):
    return Workload(name, "system", f"/work {name} {count}", goal, goal_a72, **more)


def _script(name, script):
    return Workload(name, "programs", f"/work run {name} 1 /bin/busybox sh -c '{script}'", 2.5, 5)


def _tool(name, command):
    return Workload(name, "busybox", f"/work run {name} 1 /bin/busybox {command}", 2.5)


WORKLOADS = [
    _kernel("nqueens", "integer", 13, 2), _kernel("corelike", "integer", 3000, 2), _kernel("bigint", "integer", 150, 2),
    _kernel("fnpointers", "indirect", 40, 3), _kernel("virtualcalls", "indirect", 700, 3), _kernel("recursion", "indirect", 12, 3),
    _kernel("nbody", "fp", 500000, 6), _kernel("mandelbrot", "fp", 600, 6), _kernel("linpack", "fp", 25, 6),
    _kernel("matmul", "simd", 16, 6), _kernel("bytesimd", "simd", 3000, 6), _kernel("vectors", "simd", 2000, 6),
    Workload("random", "memory", "/work random 20000000", 1.2), Workload("random-thp", "memory", "/work random-thp 20000000", 1.2),
    Workload("memcpy", "memory", "/work memcpy 100", 2),
    _os("getpid", 1000000, 2.5, 5), _os("clock", 2000000, 2.5), _os("pipe", 40000, 2.5, 5), _os("pagefaults", 200000, 2.5, 5),
    _os("mprotect", 100000, 2.5, 5), _os("signals", 100000, 2.5, 5), _os("forkexec", 300, 2.5, 5), _os("threads", 3000, 2.5, 5),
    _script("dynamic", "i=0; while [ $i -lt 200 ]; do /bin/words one two three one; i=$((i + 1)); done"),
    _script("pipelines", "i=0; while [ $i -lt 100 ]; do ls -l /bin /proc | grep r | sort | head -n 5 | wc; i=$(expr $i + 1); done"),
    _tool("sha256sum", "sha256sum /tmp/text"), _tool("gzip", "gzip -c /tmp/text"), _tool("grep", "grep -c 'zeb[a-f]*x' /tmp/text"),
    *(Workload(name, "disk", f"/work {name} {count}", 1, disk=True)
      for name, count in (("disk", 200), ("blocks", 10000), ("diskwrite", 200), ("blockwrite", 10000))),
    *(Workload(name, "network", f"/work {name} {count}", 1, net=True) for name, count in (("netin", 200), ("netout", 200))),
    Workload("one", "two CPUs", "/work run one 1 /k/nqueens 14", kernel="nqueens", cpus=2),
    Workload("two", "two CPUs", "/work run two 2 /k/nqueens 14", kernel="nqueens", cpus=2),
]

DISK_BYTES = 200 << 20
MODULES = ("virtio_ring", "virtio", "virtio_mmio", "virtio_blk", "failover", "net_failover", "virtio_net")


@dataclass
class Files:
    kernel: Path
    initrd: Path
    disk: Path | None
    net: bool


@dataclass
class Runner:
    name: str
    command: list


@dataclass
class Boot:
    ready: float | None = None  # seconds from start to READY, to the end, and of CPU
    ended: float = 0
    cpu: float = 0
    nanoseconds: dict = field(default_factory=dict)
    problem: str = ""
    tail: str = ""


def text(size):
    """The same words on every machine."""
    chance = random.Random(1)
    words = ["".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(chance.randint(2, 9))) for _ in range(3000)]
    lines = [" ".join(chance.choice(words) for _ in range(10)) for _ in range(size // 600)]
    piece = "\n".join(lines).encode() + b"\n"
    return (piece * (size // len(piece) + 1))[:size]


def _serve(serve):
    """A server of this host, which lives as long as this process; its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                serve(connection)

    threading.Thread(target=accept, daemon=True).start()
    return server.getsockname()[1]


def _send(connection):
    """Until the guest has enough."""
    piece = bytes(1 << 20)
    while True:
        connection.sendall(piece)


def _receive(connection):
    into = bytearray(1 << 20)
    while connection.recv_into(into):
        pass
    connection.sendall(b".")


def init_script(chosen, modules):
    lines = ["#!/bin/busybox sh", "b=/bin/busybox", "$b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev",
             "echo READY"]
    lines += [f"$b insmod /m/{m}.ko" for m in modules]
    if any(w.net for w in chosen):
        lines += ["$b ifconfig eth0 10.0.2.15 netmask 255.255.255.0", f"export PORT_IN={_serve(_send)} PORT_OUT={_serve(_receive)}"]
    if any(w.kind == "busybox" for w in chosen):
        lines.append("for i in 1 2 3 4 5 6; do $b cat /text >> /tmp/text; done")
    lines += [w.command for w in chosen]
    return "\n".join(lines + ["echo FINISHED", "$b poweroff -f", ""]).encode()


def prepare(opt, chosen, directory):
    modules = {}
    if opt.modules and any(w.disk or w.net for w in chosen):
        for name in MODULES:
            found = sorted(opt.modules.rglob(name + ".ko"))
            if found:  # else it is built in
                modules[name] = found[0].read_bytes()
    kernels = opt.build / "bench/kernels/aarch64"
    tree = {"bin/busybox": opt.busybox.read_bytes(), "work": (opt.build / "bench/guest/work").read_bytes(),
            "init": init_script(chosen, modules), **{f"m/{m}.ko": data for m, data in modules.items()},
            **{f"k/{w.kernel}": (kernels / w.kernel).read_bytes() for w in chosen if w.kernel}}
    if any(w.kind == "busybox" for w in chosen):
        tree["text"] = text(8 << 20)
    if any(w.kind == "programs" for w in chosen):
        guest = opt.build / "bench/guest"
        tree["bin/words"] = (guest / "words").read_bytes()
        tree |= {f"lib/{path.name}": path.read_bytes() for path in sorted((guest / "lib").iterdir())}
    initrd = directory / "initrd.gz"
    initrd.write_bytes(gzip.compress(cpio.archive(tree, ["proc", "sys", "dev", "tmp"]), 1))
    disk = None
    if any(w.disk for w in chosen):
        disk = directory / "disk.img"
        piece = random.Random(2).randbytes(1 << 20)
        disk.write_bytes(piece * (DISK_BYTES >> 20))
    return Files(opt.kernel, initrd, disk, any(w.net for w in chosen))


def runners(opt, files):
    common = ["--kernel", str(files.kernel), "--initrd", str(files.initrd), "--append", "console=ttyAMA0 quiet panic=-1"]
    out = []
    if opt.qemu:
        disk = ["-drive", f"file={files.disk},if=none,id=d,format=raw", "-device", "virtio-blk-device,drive=d"] if files.disk else []
        net = ["-netdev", "user,id=n", "-device", "virtio-net-device,netdev=n"] if files.net else ["-nic", "none"]
        out.append(Runner("qemu", [opt.qemu, "-M", "virt,gic-version=3", "-cpu", opt.cpu, "-smp", str(opt.cpus), "-m", "1G", "-nographic",
                                   *net, "-no-reboot", *common, *disk]))
    programs = (opt.tiercel or str(opt.build / "app/tiercel")).split(",")
    for n, (program, tier) in enumerate((p, t) for p in programs for t in opt.tiers.split(",")):
        disk = ["--disk", str(files.disk)] if files.disk else []
        name = "tiercel" if len(programs) == 1 else f"tiercel{n + 1}"
        out.append(Runner(name if opt.tiers == "auto" else f"{tier}{n + 1}" if len(programs) > 1 else tier,
                          [program, "boot", "--tier", tier, "--cpu", opt.cpu, "--cpus", str(opt.cpus), "--mem", "1G", *common, *disk]))
    return out


def boot(runner, timeout):
    """Raises nothing for a machine that fails: the problem is in the result."""
    result, start = Boot(), time.monotonic()
    process = subprocess.Popen(runner.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    timer = threading.Timer(timeout, lambda: os.killpg(process.pid, signal.SIGKILL))
    timer.start()
    finished = False
    for raw in process.stdout:
        line = raw.decode(errors="replace").strip()
        result.tail = line or result.tail
        if line == "READY":
            result.ready = time.monotonic() - start
        elif line == "FINISHED":
            finished = True
        elif found := re.fullmatch(r"RESULT (\S+) (\d+)", line):
            result.nanoseconds[found[1]] = int(found[2])
    _, status, usage = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    result.ended = time.monotonic() - start
    result.cpu = usage.ru_utime + usage.ru_stime
    if process.returncode != 0 or not finished:
        result.problem = f"status {process.returncode}, last line: {result.tail}"
    return result


def _row(name, values, unit, goal, names):
    line = f"  {name:<14}" + "".join(f"{v * unit:11.1f}" if v else f"{'-':>11}" for v in values)
    if "qemu" in names and values[0]:
        for v in values[1:]:
            line += f"{values[0] / v:12.2f}" + (" !" if goal and values[0] / v < goal else "  ") if v else f"{'-':>14}"
        line += f"{goal:8.1f}" if goal else ""
    print(line)


def report(chosen, runners_, results):
    names = [r.name for r in runners_]
    a72 = "cortex-a72" in runners_[0].command
    ratios = "".join(f"{'qemu/' + n:>14}" for n in names if n != "qemu") if "qemu" in names else ""
    print(f"{'milliseconds':<16}" + "".join(f"{n:>11}" for n in names) + ratios + "    goal")
    for name, get in (("to READY", lambda b: b.ready), ("to the end", lambda b: b.ended), ("CPU time", lambda b: b.cpu)):
        _row(name, [median([get(b) or 0 for b in results[n]]) for n in names], 1e3, 2 if name == "to READY" else 0, names)
    kind = ""
    for w in chosen:
        if w.kind != kind:
            print(w.kind)
            kind = w.kind
        values = [median([b.nanoseconds.get(w.name, 0) for b in results[n]]) for n in names]
        _row(w.name, values, 1e-6, (a72 and w.goal_a72) or w.goal, names)
    problems = [(n, b.problem) for n in names for b in results[n] if b.problem]
    missing = [(n, w.name) for n in names for w in chosen if any(w.name not in b.nanoseconds for b in results[n])]
    for name, problem in problems:
        print(f"{name}: {problem}")
    for name, workload in missing:
        print(f"{name}: no result of {workload}")
    return 1 if problems or missing else 0
