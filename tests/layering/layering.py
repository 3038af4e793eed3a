#!/usr/bin/env python3
"""Reads the #include lines and prints every arrow that docs/architecture.md does not draw."""
import pathlib
import re
import sys

BACKEND_CONTRACT = {"backend/backend.h", "backend/vm_context.h", "backend/jump_cache.h", "backend/softmmu_tables.h",
                    "backend/profile_tables.h", "backend/region_fault_table.h", "backend/compiled_code.h", "backend/region_code.h",
                    "backend/interp/interp.h", "backend/fp_control.h"}
MAY_INCLUDE = {
    "base": {"base"},
    "ir": {"ir", "base"},
    "guest": {"guest", "ir", "base"},
    "frontend-arm": {"frontend-arm", "guest", "ir", "base"},
    "frontend-x86": {"frontend-x86", "guest", "ir", "base"},
    "backend": {"backend", "ir", "base"},
    "engine": {"engine", "guest", "ir", "base"},
    "debug": {"debug", "engine", "guest", "base"},
    "system": {"system", "debug", "engine", "guest", "base", "frontend-arm", "frontend-x86"},
    "service": {"service", "engine", "ir", "base"},
    "user": {"user", "debug", "engine", "service", "guest", "base", "frontend-arm", "frontend-x86"},
}
# A third-party library appears only where it belongs.
ONLY_IN = {"asmjit/": "backend/x64/", "llvm/": "backend/llvm/", "Zydis": "frontend-x86/", "capstone": "tests/"}


def allowed(path, folder, target):
    # libLLVM stays out of the emulator: only a program of its own may know the optimising tier's compiler.
    if target.startswith("backend/llvm/") and not path.startswith("backend/llvm/"):
        return False
    if target.split("/")[0] in MAY_INCLUDE[folder]:
        if folder in ("system", "user") and target.startswith("frontend-"):
            return target.endswith(("state.h", "frontend.h"))
        return True
    return folder in ("engine", "service", "user") and target in BACKEND_CONTRACT


def main():
    root = pathlib.Path(sys.argv[1])
    wrong = []
    for folder in MAY_INCLUDE:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            name = path.relative_to(root).as_posix()
            for line in path.read_text().splitlines():
                if m := re.match(r'\s*#include "([^"]+)"', line):
                    target = m[1]
                    if not (root / target).exists():
                        wrong.append(f"{name}: \"{target}\" is not written from the root of the tree")
                    elif not allowed(name, folder, target):
                        wrong.append(f"{name} includes {target}")
                elif m := re.match(r"\s*#include <([^>]+)>", line):
                    for library, home in ONLY_IN.items():
                        if m[1].startswith(library) and not name.startswith(home):
                            wrong.append(f"{name} includes <{m[1]}>, which belongs in {home}")
    print("\n".join(wrong) if wrong else "every arrow is drawn")
    return 1 if wrong else 0


sys.exit(main())
