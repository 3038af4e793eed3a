#!/usr/bin/env python3
"""usage: initramfs.py OUT --busybox FILE --init FILE --modules FOLDER [--module NAME]...

Writes an initial RAM disk (cpio "newc", gzip): busybox, an init, and kernel modules with all that they need, from the
lib/modules/VERSION of a kernel package. Needs no rights: device nodes are only written down.
"""

import argparse
import gzip
import pathlib
import stat


class Archive:
    def __init__(self):
        self.out = bytearray()
        self.made = set()
        self.inode = 0

    def add(self, name, mode, data=b"", device=(0, 0)):
        parent = name.rpartition("/")[0]
        if parent and parent not in self.made:
            self.add(parent, stat.S_IFDIR | 0o755)
        self.made.add(name)
        self.inode += 1
        self.entry(self.inode, name, mode, data, device)

    def entry(self, inode, name, mode, data, device):
        encoded = name.encode() + b"\0"
        fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        self.out += b"070701" + b"".join(b"%08X" % f for f in fields) + encoded
        self.pad()
        self.out += data
        self.pad()

    def pad(self):
        self.out += bytes(-len(self.out) % 4)

    def finish(self):
        self.entry(0, "TRAILER!!!", 0, b"", (0, 0))
        return bytes(self.out)


def needed_by(module):
    """The names in the module's own list of what must be loaded before it."""
    for field in module.read_bytes().split(b"\0"):
        if field.startswith(b"depends="):
            return [name for name in field[8:].decode().split(",") if name]
    return []


def with_dependencies(names, modules):
    """Files in an order in which they can be loaded, and what each needs: {name: [names]}."""
    found = {}

    def visit(name):
        if name in found:
            return
        if name not in modules:
            raise SystemExit(f"initramfs.py: there is no module {name}")
        needs = needed_by(modules[name])
        for need in needs:
            visit(need)
        found[name] = needs

    for name in names:
        visit(name)
    return found


def add_modules(archive, folder, names):
    """The modules and the modules.dep that busybox's modprobe reads."""
    version = folder.name
    modules = {path.stem.replace("-", "_"): path for path in folder.rglob("*.ko")}
    chosen = with_dependencies([name.replace("-", "_") for name in names], modules)
    closure = {}
    lines = []
    for name, needs in chosen.items():
        closure[name] = list(dict.fromkeys(need for n in needs for need in [n, *closure[n]]))
        place = lambda n: modules[n].relative_to(folder).as_posix()
        archive.add(f"lib/modules/{version}/{place(name)}", stat.S_IFREG | 0o644, modules[name].read_bytes())
        lines.append(f"{place(name)}: {' '.join(place(n) for n in closure[name])}".rstrip() + "\n")
    archive.add(f"lib/modules/{version}/modules.dep", stat.S_IFREG | 0o644, "".join(lines).encode())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("--busybox", required=True)
    parser.add_argument("--init", required=True)
    parser.add_argument("--modules", required=True, type=pathlib.Path)
    parser.add_argument("--module", action="append", default=[])
    options = parser.parse_args()

    archive = Archive()
    for name in ("proc", "sys", "dev", "tmp", "mnt", "etc", "root"):
        archive.add(name, stat.S_IFDIR | 0o755)
    archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    archive.add("bin/busybox", stat.S_IFREG | 0o755, pathlib.Path(options.busybox).read_bytes())
    archive.add("init", stat.S_IFREG | 0o755, pathlib.Path(options.init).read_bytes())
    add_modules(archive, options.modules, options.module)
    with gzip.GzipFile(options.out, "wb", mtime=0) as f:
        f.write(archive.finish())


main()
