"""What the cases of tests/boot/run are made with: a running `tiercel boot`, its serial line and its control socket."""

import json
import os
import socket
import subprocess
import threading
import time

PANICKED, TIMED_OUT, FAILED = 123, 124, 125
# Ends a hang, and is no measurement: a busy machine is many times slower.
PATIENCE = {"interp": 1200, "fast": 600, "auto": 600, "llvm": 1200}
PROMPT = "tiercel# "
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


class Failure(Exception):
    pass


class Skip(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failure(what)


class Machine:
    """A running `tiercel boot` whose serial line is read here."""

    def __init__(self, options, *extra, append=None, kernel=True, limit=None, terminal=None):
        self.limit = PATIENCE[options.tier]
        command = [options.tiercel, "boot", f"--tier={options.tier}", f"--cpus={options.cpus}",
                   f"--timeout={limit or self.limit}"]
        if kernel:
            command += ["--kernel", f"{options.images}/vmlinuz", "--initrd", f"{options.images}/busybox.cpio.gz"]
            command += ["--append", "quiet" + (f" {append}" if append else "")]
        ends = subprocess.PIPE if terminal is None else terminal[1]
        self.process = subprocess.Popen(command + list(extra) + options.more, stdin=ends, stdout=ends, stderr=subprocess.PIPE)
        # Of the serial line, here.
        self.keys = self.process.stdin.fileno() if terminal is None else terminal[0]
        self.screen = self.process.stdout.fileno() if terminal is None else terminal[0]
        self.said = b""
        self.mark = 0
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while chunk := os.read(self.screen, 65536):
            with self.changed:
                self.said += chunk
                self.changed.notify_all()

    def text(self):
        return self.said.decode("utf-8", "replace").replace("\r", "")

    def wait_for(self, text):
        """Until `text` comes, after what was waited for before."""
        deadline = time.monotonic() + self.limit
        with self.changed:
            while (found := self.said.find(text.encode(), self.mark)) < 0:
                expect(self.process.poll() is None, f"it ended before it said {text!r}: {self.text()[-2000:]}")
                expect(time.monotonic() < deadline, f"it did not say {text!r}: {self.text()[-2000:]}")
                self.changed.wait(1)
            self.mark = found + len(text)

    def type(self, text):
        os.write(self.keys, text.encode())

    def command(self, line):
        """What a command at the prompt prints."""
        self.type(line + "\n")
        self.wait_for("\n")
        start = self.mark
        self.wait_for(PROMPT)
        return self.said[start:self.mark - len(PROMPT)].decode("utf-8", "replace").replace("\r", "")

    def end(self, status=0, complaint=""):
        """Waits for the end, which must be so; what it said."""
        try:
            got = self.process.wait(self.limit + 30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure(f"tiercel did not end: {self.text()[-2000:]}") from None
        error = self.error = self.process.stderr.read().decode("utf-8", "replace")
        self.reader.join(5)  # a terminal has no end
        expect(got == status, f"status {got}, expected {status}: {error}{self.text()[-2000:]}")
        expect(complaint in error, f"{complaint!r} is not in {error!r}")
        return self.text()


class Control:
    """A program that rules a machine (QMP)."""

    def __init__(self, path):
        deadline = time.monotonic() + 60
        while not os.path.exists(path):
            expect(time.monotonic() < deadline, f"no {path}")
            time.sleep(0.05)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r")
        self.lines.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        request = {"execute": command} | ({"arguments": arguments} if arguments else {})
        self.socket.sendall(json.dumps(request).encode())
        while "event" in (answer := json.loads(self.lines.readline())):
            pass
        expect("return" in answer, f"{command}: {answer}")
