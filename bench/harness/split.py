"""Where a tier's time goes: one more run of each workload, with --stats."""
import json
import os
import subprocess

PARTS = ("translate", "execute", "runtime", "kernel")


def of(command, directory, stdin, timeout):
    """{part: share of the CPU time} of the first process of `command` and its threads, or None if it tells nothing. Children
    are not in it. `runtime` is what remains: our side of system calls, look-ups,
    start-up."""
    at = command.index("run") + 1
    with open(directory / stdin if stdin else os.devnull, "rb") as source:
        try:
            done = subprocess.run(command[:at] + ["--stats", "--json"] + command[at:], stdin=source, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, cwd=directory, timeout=timeout)
        except subprocess.TimeoutExpired:
            return None
    lines = [line for line in done.stderr.decode(errors="replace").splitlines() if line.startswith('{"pid"')]
    if not lines:
        return None
    counters = json.loads(lines[-1])  # the first process ends last
    total = counters["cpu_ns"]
    translate, execute = counters["translate_ns"], counters["code_ns"]
    rest = max(0, total - translate - execute)
    kernel = min(rest, counters["kernel_ns"])
    shares = {part: value / total for part, value in zip(PARTS, (translate, execute, rest - kernel, kernel))}
    executed = {tier: counters["executed_" + tier] for tier in ("interp", "fast", "regions")}
    shares["insns"] = executed
    return shares


def table(kind, rows):
    """`rows` are (workload name, tier, shares)."""
    print(f"\n{kind + ', where the time goes':<30}{'tier':>7}" + "".join(f"{part:>11}" for part in PARTS) + f"{'optimised':>12}")
    for name, tier, shares in rows:
        insns = sum(shares["insns"].values())
        optimised = shares["insns"]["regions"] / insns if insns else 0
        print(f"  {name:<28}{tier:>7}" + "".join(f"{shares[part] * 100:10.1f}%" for part in PARTS) + f"{optimised * 100:11.1f}%")
