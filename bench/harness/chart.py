"""Bars: in the terminal, and as a chart in SVG or HTML."""
from html import escape

from harness.report import geometric_mean, ratio

COLOURS = {"native": "#888888", "qemu": "#c0504d", "interp": "#9b7fb8", "fast": "#e0a030", "auto": "#4f8f4f", "llvm": "#3b6fb6"}
LABEL, BAR, LINE, GAP = 170, 620, 15, 9


def _ratios(rows, runners):
    """(workload name, [(runner, time / native)]) for what has both figures."""
    for workload, result in rows:
        found = [(name, ratio(result, workload, name, "native")) for name in runners if name != "native"]
        found = [(name, value) for name, value in found if value]
        if found:
            yield workload.name, found


def bars(rows, runners, width=50):
    """Prints a bar per workload and runner; its length is the time as a multiple of the native time."""
    groups = list(_ratios(rows, runners))
    if not groups:
        return
    longest = max(value for _, found in groups for _, value in found)
    unit = min(10.0, width / longest)
    for name, found in groups:
        for i, (runner, value) in enumerate(found):
            eighths = max(1, round(value * unit * 8))
            bar = "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
            print(f"  {name if i == 0 else '':<20}{runner:>7} {bar} {value:.2f}")


def _class_svg(kind, groups, top, longest):
    """One class of workloads as SVG elements; returns them and the y where they end."""
    out, y = [f'<text x="0" y="{top + 14}" class="kind">{escape(kind)}</text>'], top + 24
    for name, found in groups:
        out.append(f'<text x="{LABEL - 8}" y="{y + LINE * len(found) / 2 + 4:.0f}" class="name">{escape(name)}</text>')
        for runner, value in found:
            length = value / longest * BAR
            out.append(f'<rect x="{LABEL}" y="{y}" width="{length:.1f}" height="{LINE - 3}" fill="{COLOURS.get(runner, "#555555")}">'
                       f"<title>{escape(name)}, {escape(runner)}: {value:.2f} times native</title></rect>"
                       f'<text x="{LABEL + length + 5:.1f}" y="{y + LINE - 5}" class="value">{value:.2f}</text>')
            y += LINE
        y += GAP
    return out, y + 8


def svg(rows, runners, title):
    """All workloads as one SVG image, by class, with the geometric mean of each class."""
    by_class = {}
    for workload, result in rows:
        by_class.setdefault(workload.kind, []).append((workload, result))
    others = [name for name in runners if name != "native"]
    classes = []
    for kind, part in by_class.items():
        groups = list(_ratios(part, runners))
        means = [(name, geometric_mean([v for _, found in groups for n, v in found if n == name])) for name in others]
        if groups:
            classes.append((kind, groups + [("geometric mean", [(n, m) for n, m in means if m])]))
    out, y, x = [f'<text x="0" y="18" class="title">{escape(title)}</text>'], 34, 0
    for name in others:
        out.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{COLOURS.get(name, "#555555")}"/><text x="{x + 17}" y="{y + 10}">{escape(name)}</text>')
        x += 90
    y += 26
    for kind, groups in classes:
        # Each class has its own scale: start-up is tens of times native, integer code hardly more than once.
        longest = max(1.0, *(v for _, found in groups for _, v in found))
        elements, end = _class_svg(kind, groups, y, longest)
        one = LABEL + BAR / longest
        out += elements
        out.append(f'<line x1="{one:.1f}" y1="{y + 20}" x2="{one:.1f}" y2="{end - 12}" class="native"/>')
        y = end
    style = ("text{font:12px sans-serif;fill:#222}.title{font-size:15px;font-weight:bold}.kind{font-size:13px;font-weight:bold}"
             ".name{text-anchor:end}.value{font-size:11px;fill:#555}.native{stroke:#888;stroke-dasharray:3 3}")
    width, height = LABEL + BAR + 60, y
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 -6 {width + 24} {height + 12}" width="{width + 24}" height="{height + 12}">'
            f'<style>{style}</style><rect x="-12" y="-6" width="100%" height="100%" fill="#ffffff"/>' + "".join(out) + "</svg>\n")


def write(path, rows, runners, about):
    title = f"Time as a multiple of native (dashed): smaller is better. {about['cpu']}, median of {about['rounds']}"
    image = svg(rows, runners, title)
    if path.suffix in (".html", ".htm"):
        image = f'<!doctype html><meta charset="utf-8"><title>Tiercel benchmarks</title>\n{image}'
    path.write_text(image)
