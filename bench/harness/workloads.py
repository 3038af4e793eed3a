"""The workloads: kernels, whose first line describes them, and programs of a Debian root with generated inputs."""
import os
import random
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent


@dataclass
class Workload:
    name: str
    kind: str  # the class it is reported under
    native: list | None  # command, or None when this machine lacks the program
    guest: list  # guest program and arguments; a path inside the root when `rooted`
    rooted: bool = False
    cpus: int = 1
    clock: str = "cpu"  # what ratios compare: "cpu" (user + system) or "wall"
    stdin: str | None = None
    scaling: tuple | None = None  # (family, threads) when the family shows how work scales
    env: dict = field(default_factory=dict)


def kernels(programs, quick, steady):
    """One or more workloads per file of kernels/; `programs` has them in native/ and aarch64/."""
    for source in sorted((HERE / "kernels").glob("*.c*")):
        words = source.read_text().split("\n", 1)[0].removeprefix("// bench: ").split()
        header = dict(word.split("=", 1) for word in words)
        native, guest = (str(programs / machine / source.stem) for machine in ("native", "aarch64"))
        count = header["quick" if quick else "iterations"]
        if steady:
            count = header.get("steady", str(10 * int(count)))
        cpus = int(header.get("cpus", 1))
        if "scaling" not in header:
            yield Workload(source.stem, header["class"], [native, count], [guest, count], cpus=cpus)
            continue
        for threads in header["scaling"].split(","):
            yield Workload(f"{source.stem}-{threads}", header["class"], [native, count, threads], [guest, count, threads],
                           cpus=cpus, clock="wall", scaling=(source.stem, int(threads)))


def text(size):
    """Words with a natural distribution, the same on every machine."""
    rng = random.Random(1)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    weights = [1 / (i + 1.5) for i in range(len(letters))]
    vocabulary = ["".join(rng.choices(letters, weights, k=rng.randint(1, 9))) for _ in range(5000)]
    cumulative, total = [], 0.0
    for i in range(len(vocabulary)):
        total += 1 / (i + 2)
        cumulative.append(total)
    lines, length = [], 0
    while length < size:
        line = " ".join(rng.choices(vocabulary, cum_weights=cumulative, k=rng.randint(3, 14)))
        lines.append(f"{rng.randrange(100000)} {line}" if rng.random() < 0.3 else line)
        length += len(lines[-1]) + 1
    return "\n".join(lines) + "\n"


def c_source(functions):
    """A translation unit without headers, for the compiler proper."""
    out = ["typedef unsigned int u32; typedef unsigned long u64; struct P { u32 a, b; struct P* next; double w[8]; };"]
    for i in range(functions):
        out.append(f"""
static u32 mix{i}(u32 x, const struct P* p) {{
  u32 s = x * {2 * i + 1}u;
  for (; p; p = p->next) {{ s ^= p->a + (p->b << {i % 7 + 1}); if (s & {1 << i % 9}) s += {i}; else s = s >> 3 | s << 29; }}
  return s;
}}
double work{i}(struct P* p, int n) {{
  double sum = 0;
  for (int i = 0; i < n; i++) {{
    switch ((p->a + i) % 9) {{
      case 0: sum += p->w[i & 7] * {i}.5; break;
      case 1: p->b = mix{i}(p->a, p->next); break;
      case 2: sum -= p->w[(i + 1) & 7] / (p->b + 1); break;
      case 3: for (int j = 0; j < 8; j++) p->w[j] = p->w[j] * sum + {i}; break;
      case 5: p->a = mix{max(i - 1, 0)}(p->b, p); break;
      default: p->b += (u32)sum;
    }}
  }}
  return sum;
}}""")
    return "\n".join(out)


STEADY = 5  # times as much work for programs


def prepare_inputs(directory, quick, steady):
    factor = STEADY if steady else 1
    big = text(400_000 if quick else 3_000_000 * factor)
    (directory / "big.txt").write_text(big)
    (directory / "small.txt").write_text(big[: len(big) // 3])
    (directory / "unit.i").write_text(c_source(3 if quick else 12 * factor))
    for source in (HERE / "programs").iterdir():
        (directory / source.name).write_bytes(source.read_bytes())
    queries = directory / "work.sql"
    again = "DROP TABLE item;\nDROP TABLE kind;\n"
    queries.write_text(again.join([queries.read_text()] * factor))


def compress(directory):
    """Packed inputs for the decompressors, made with this machine's tools."""
    for tool, suffix, options in (("gzip", "gz", "-6"), ("bzip2", "bz2", "-6"), ("xz", "xz", "-2"), ("zstd", "zst", "-3")):
        os.system(f"cd '{directory}' && {tool} -q -k -f {options} big.txt -c > big.{suffix} 2>/dev/null")


def programs(root, quick, steady):
    scale = "1" if quick else str(5 * STEADY) if steady else "5"
    key = ["-K", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", "-iv", "000102030405060708090a0b0c0d0e0f"]
    cross_cc1 = "/usr/lib/gcc-cross/aarch64-linux-gnu/12/cc1"  # the same compiler for the same target, as a native program
    prime = "7" + "F" * (130 if quick else 319)  # 2**523 - 1 or 2**1279 - 1
    table = [
        ("python3", "programs", "/usr/bin/python3.11", ["-I", "-S", "work.py", str(3 * int(scale))]),
        ("perl", "programs", "/usr/bin/perl", ["work.pl", scale]),
        ("bash", "programs", "/bin/bash", ["--norc", "work.sh", scale]),
        ("sqlite3", "programs", "/usr/bin/sqlite3", ["-batch", ":memory:"], "work.sql"),
        ("cc1", "programs", "/usr/lib/gcc/aarch64-linux-gnu/12/cc1", ["-quiet", "-O2", "-fno-ident", "unit.i", "-o", "-"]),
        ("lua", "programs", "/usr/bin/lua5.4", ["work.lua", scale]),
        ("mawk", "tools", "/usr/bin/mawk", ["{ for (i = 1; i <= NF; i++) n[$i]++ } END { for (w in n) s += n[w] * length(w); print s, length(n) }", "big.txt"]),
        ("sort", "tools", "/usr/bin/sort", ["big.txt"]),
        ("grep -E", "tools", "/bin/grep", ["-cE", "(e[st]+a|[0-9]{4} t).*(in|on)$", *["big.txt"] * 4]),
        ("sed", "tools", "/bin/sed", ["-nE", "s/([a-z]+) ([a-z]+)$/\\2-\\1/p", "small.txt"]),
        ("gzip -6", "compression", "/bin/gzip", ["-6", "-n"], "big.txt"),
        ("gzip -d", "compression", "/bin/gzip", ["-d"], "big.gz"),
        ("bzip2", "compression", "/bin/bzip2", ["-6"], "small.txt"),
        ("bzip2 -d", "compression", "/bin/bzip2", ["-d"], "big.bz2"),
        ("xz -2", "compression", "/usr/bin/xz", ["-2", "-T1"], "small.txt"),
        ("xz -d", "compression", "/usr/bin/xz", ["-d", "-T1"], "big.xz"),
        ("zstd -9", "compression", "/usr/bin/zstd", ["-9", "-q", "--single-thread"], "small.txt"),
        ("zstd -d", "compression", "/usr/bin/zstd", ["-d", "-q"], "big.zst"),
        ("openssl sha256", "crypto", "/usr/bin/openssl", ["dgst", "-sha256", "-r"] + ["big.txt"] * 16),
        ("openssl sha512", "crypto", "/usr/bin/openssl", ["dgst", "-sha512", "-r"] + ["big.txt"] * 16),
        ("openssl aes-256-cbc", "crypto", "/usr/bin/openssl", ["enc", "-aes-256-cbc", *key], "big.txt"),
        ("openssl chacha20", "crypto", "/usr/bin/openssl", ["enc", "-chacha20", *key], "big.txt"),
        ("openssl prime", "crypto", "/usr/bin/openssl", ["prime", "-hex", prime]),
        ("true", "startup", "/bin/true", []),
        ("bash -c :", "startup", "/bin/bash", ["-c", ":"]),
        ("perl -e 1", "startup", "/usr/bin/perl", ["-e", "1"]),
        ("python3 print(1)", "startup", "/usr/bin/python3.11", ["-c", "print(1)"]),
        ("sqlite3 -version", "startup", "/usr/bin/sqlite3", ["-version"]),
        ("openssl dgst", "startup", "/usr/bin/openssl", ["dgst", "-r", "work.sh"]),
    ]
    for name, kind, program, arguments, *stdin in table:
        if not (root / program[1:]).exists():
            continue
        here = cross_cc1 if name == "cc1" else program
        native = [here, *arguments] if os.access(here, os.X_OK) else None
        yield Workload(name, kind, native, [program, *arguments], rooted=True, stdin=stdin[0] if stdin else None)
