"""Tables of ratios, geometric means, and how they stand against the project's targets."""
from math import exp, log

# (what it is, classes, least geometric mean of QEMU's time / ours)
TARGETS = [
    ("integer kernels", ("integer",), 1.3),
    ("indirect branches and calls", ("indirect", "callret"), 3.0),
    ("scalar floating point", ("fp",), 4.0),
    ("SIMD and strings", ("simd",), 6.0),
    ("real programs", ("programs",), 2.5),
    ("start-up", ("startup",), 2.0),
]


def geometric_mean(values):
    values = [v for v in values if v]
    return exp(sum(log(v) for v in values) / len(values)) if values else None


def _seconds(result, workload, runner):
    entry = result.get(runner)
    return entry[workload.clock] if entry and "problem" not in entry else None


def ratio(result, workload, over, under):
    a, b = _seconds(result, workload, over), _seconds(result, workload, under)
    return a / b if a and b else None


def _cell(value, form="{:9.2f}"):
    return form.format(value) if value else " " * 8 + "-"


def table(kind, rows, runners):
    """Prints one class. `rows` are (workload, result); ratios are times native, smaller is better, except qemu/TIER."""
    others = [r for r in runners if r != "native"]
    tiers = [r for r in others if r != "qemu"] if "qemu" in others else []
    print(f"\n{kind:<22}{'native ms':>10}" + "".join(f"{name + ' x':>9}" for name in others) + "".join(f"{'qemu/' + t:>12}" for t in tiers))
    means = {}
    for workload, result in rows:
        native = _seconds(result, workload, "native")
        line = f"  {workload.name:<20}{native * 1000:10.1f}" if native else f"  {workload.name:<20}{'-':>10}"
        for name in others:
            value = ratio(result, workload, name, "native")
            means.setdefault(name, []).append(value)
            line += _cell(value)
        for tier in tiers:
            value = ratio(result, workload, "qemu", tier)
            means.setdefault("qemu/" + tier, []).append(value)
            line += "   " + _cell(value)
        print(line)
        for name, entry in result.items():
            if "problem" in entry:
                print(f"    {name}: {entry['problem']}")
    line = f"  {'geometric mean':<20}{'':10}"
    for name in others:
        line += _cell(geometric_mean(means.get(name, [])))
    for tier in tiers:
        line += "   " + _cell(geometric_mean(means.get("qemu/" + tier, [])))
    print(line)


def scaling(rows, runners):
    """How much more work N threads do than one, from the elapsed times."""
    families = {}
    for workload, result in rows:
        if workload.scaling:
            families.setdefault(workload.scaling[0], {})[workload.scaling[1]] = result
    for family, by_threads in sorted(families.items()):
        for threads in sorted(by_threads):
            if threads == 1 or 1 not in by_threads:
                continue
            for name in runners:
                one, many = by_threads[1].get(name), by_threads[threads].get(name)
                if one and many and "problem" not in one and "problem" not in many:
                    print(f"  {family}: under {name}, {threads} threads do {threads * one['wall'] / many['wall']:.2f} times the work of one")


def targets(rows, tier):
    """The project's own goals for `tier` against QEMU. Returns lines."""
    lines = []
    for title, kinds, least in TARGETS:
        values = [ratio(result, w, "qemu", tier) for w, result in rows if w.kind in kinds]
        mean = geometric_mean(values)
        if mean:
            lines.append(f"  {'met   ' if mean >= least else 'MISSED'} {title}: QEMU / {tier} = {mean:.2f} (goal {least}, {sum(1 for v in values if v)} of {len(values)} workloads)")
    slower = [f"{w.name} ({value:.2f})" for w, result in rows if (value := ratio(result, w, "qemu", tier)) and value < 1]
    lines.append(f"  {'MISSED' if slower else 'met   '} none slower than under QEMU" + (": " + ", ".join(slower) if slower else ""))
    return lines
