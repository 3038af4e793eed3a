"""Archives that Linux unpacks into its initial RAM disk (Documentation/driver-api/early-userspace/buffer-format.rst)."""


def _entry(number, name, mode, data=b"", device=(0, 0)):
    raw = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(raw), 0)
    head = b"070701" + "".join(f"{f:08x}" for f in fields).encode() + raw
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def archive(files, directories):
    """`files`: {path: bytes}, all of them executable. There is a /dev/console, which init needs before /dev is mounted."""
    names = set(directories) | {"dev"}
    for path in files:
        parts = path.split("/")[:-1]
        names |= {"/".join(parts[: i + 1]) for i in range(len(parts))}
    out = [_entry(n, name, 0o40755) for n, name in enumerate(sorted(names), 1)]
    out.append(_entry(len(out) + 1, "dev/console", 0o20600, device=(5, 1)))
    out += [_entry(len(out) + n, path, 0o100755, data) for n, (path, data) in enumerate(files.items(), 1)]
    return b"".join(out) + _entry(0, "TRAILER!!!", 0)
