#!/usr/bin/env python3
"""usage: debian-tar.py OUT.tar PACKAGE.deb...

Writes one tar archive with what the packages hold, and a dpkg database that says they are unpacked, to be configured in the
system itself. Nothing is extracted here, so owners and device nodes need no rights.
"""

import hashlib
import io
import subprocess
import sys
import tarfile

MERGED = ("bin", "sbin", "lib")  # links to the same names below usr


def merged(name):
    """Debian's merged /usr: packages still ship /bin and /lib, and mean /usr/bin and /usr/lib."""
    name = name.removeprefix("./").strip("/")
    return f"usr/{name}" if name.split("/")[0] in MERGED else name


class System:
    def __init__(self, out):
        self.out = out
        self.folders = set()
        self.status = []
        for name in MERGED:
            self.folder(f"usr/{name}")
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
            out.addfile(link)
        self.folder("var/lib/dpkg/info")
        for name in ("triggers", "alternatives", "updates"):
            self.folder(f"var/lib/dpkg/{name}")

    def folder(self, name):
        parts = name.split("/")
        for i in range(1, len(parts) + 1):
            path = "/".join(parts[:i])
            if path not in self.folders:
                self.folders.add(path)
                entry = tarfile.TarInfo(path)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                self.out.addfile(entry)

    def file(self, name, data, mode=0o644):
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(data), mode
        self.out.addfile(entry, io.BytesIO(data))

    def unpack(self, deb):
        control = self.control_files(deb)
        fields = dict(line.split(": ", 1) for line in control["control"].decode().splitlines()
                      if ": " in line and not line.startswith(" "))
        conffiles = [line for line in control.get("conffiles", b"").decode().split("\n")
                     if line and not line.startswith("remove-on-upgrade ")]
        names, sums = self.contents(deb, set(conffiles))
        base = fields["Package"] + (":" + fields["Architecture"] if fields.get("Multi-Arch") == "same" else "")
        for name, data in control.items():
            if name != "control":
                scripts = ("preinst", "postinst", "prerm", "postrm", "config")
                self.file(f"var/lib/dpkg/info/{base}.{name}", data, 0o755 if name in scripts else 0o644)
        self.file(f"var/lib/dpkg/info/{base}.list", "".join(f"{n}\n" for n in names).encode())
        self.status.append(stanza(control["control"].decode(), conffiles, sums))

    def control_files(self, deb):
        data = subprocess.run(["dpkg-deb", "--ctrl-tarfile", deb], check=True, stdout=subprocess.PIPE).stdout
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            return {m.name.removeprefix("./"): tar.extractfile(m).read() for m in tar if m.isfile()}

    def contents(self, deb, conffiles):
        names, sums = [], {}
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as process:
            with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
                for member in tar:
                    original = "/" + member.name.removeprefix("./").strip("/")
                    names.append("/." if original == "/" else original)
                    member.name = merged(member.name)
                    if member.islnk():
                        member.linkname = merged(member.linkname)
                    if not member.name or (member.isdir() and member.name in self.folders):
                        continue
                    if member.isdir():
                        self.folders.add(member.name)
                    data = tar.extractfile(member).read() if member.isfile() else b""
                    if original in conffiles:
                        sums[original] = hashlib.md5(data).hexdigest()
                    self.out.addfile(member, io.BytesIO(data))
        if process.returncode != 0:
            raise SystemExit(f"debian-tar.py: {deb} cannot be read")
        return names, sums


def stanza(control, conffiles, sums):
    first, rest = control.strip("\n").split("\n", 1)
    lines = [first, "Status: install ok unpacked", rest]
    if conffiles:
        lines += ["Conffiles:"] + [f" {name} {sums[name]}" for name in conffiles if name in sums]
    return "\n".join(lines) + "\n\n"


def main():
    with tarfile.open(sys.argv[1], "w", format=tarfile.GNU_FORMAT) as out:
        system = System(out)
        for deb in sys.argv[2:]:
            system.unpack(deb)
        system.file("var/lib/dpkg/status", "".join(system.status).encode())
        system.file("var/lib/dpkg/info/format", b"1\n")
        system.file("var/lib/dpkg/available", b"")


main()
