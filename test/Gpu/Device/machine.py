"""What nvidia-smi says: of the device, and of its clocks while something runs."""

import os
import platform
import subprocess
import tempfile

# One list: heading in results.md and nvidia-smi's field.
FIELDS = {
    "device": "name",
    "driver": "driver_version",
    "memory": "memory.total",
    "power limit": "power.limit",
    "SM clock at most": "clocks.max.sm",
    "memory clock at most": "clocks.max.mem",
}


def query(fields, *more):
    """The first device's values; empty where there is no nvidia-smi or no such field."""
    command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader", *more]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().splitlines()[0].strip() if done.returncode == 0 and done.stdout.strip() else ""


def description():
    result = {name: query(field) for name, field in FIELDS.items()}
    result["device"] = result["device"] or "no NVIDIA GPU that nvidia-smi knows"
    result["system"] = f"{platform.platform()}, {os.cpu_count()} CPUs"
    return {name: value for name, value in result.items() if value}


def used_bytes():
    """In use on the device by everybody."""
    try:
        return int(query("memory.used", "--id=0").split()[0]) << 20
    except (IndexError, ValueError):
        return 0


class Clocks:
    """with Clocks() as clocks: ...; then clocks.busiest: the SM's MHz and the watts when most power was drawn."""

    def __enter__(self):
        self.busiest, self.process = {}, None
        self.file = tempfile.TemporaryFile("w+")
        command = [
            "nvidia-smi",
            "--id=0",
            "--query-gpu=clocks.sm,power.draw",
            "--format=csv,noheader,nounits",
            "-lms",
            "250",
        ]
        try:
            self.process = subprocess.Popen(command, stdout=self.file, stderr=subprocess.DEVNULL)
        except OSError:
            pass
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.file.seek(0)
        samples = []
        for line in self.file:
            try:
                clock, power = map(float, line.split(","))
                samples.append((power, clock))
            except ValueError:
                pass
        self.file.close()
        if samples:
            self.busiest = {"watts": max(samples)[0], "sm_mhz": max(samples)[1]}
