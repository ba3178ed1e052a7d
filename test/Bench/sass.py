"""Reads GPU code as nvdisasm prints it: how often a thread executes what, and how much it has in flight.

A kernel is blocks of instructions. How often a block is executed follows from loops alone: what a loop moves in one round, and what it has
to move in all. Three things are not executed: what follows the kernel's own code (subroutines), blocks that call one (the slow ways of
division and square root, for denormals), and a loop for the rest of another that was unrolled.
"""

import re
import struct
import subprocess

# Who executes an instruction: the first pattern that fits. FMA and ALU are the two pipes of ordinary arithmetic.
PIPES = [
    ("tensor", r"HMMA|IMMA|QGMMA|HGMMA"),
    ("double", r"D(ADD|MUL|FMA|SETP|MNMX)"),
    ("special", r"MUFU|I2F|F2I|F2F\b|F2F\.|FRND|I2I|POPC|FLO|BREV"),
    ("shuffle", r"SHFL|VOTE|MATCH|REDUX"),
    ("wide", r"IMAD\.WIDE|IMAD\.HI"),
    ("multiply", r"IMAD(?!\.MOV|\.SHL|\.IADD|\.U32)"),
    ("fma", r"F(FMA|ADD|MUL|SWZADD)|HFMA2|HADD2|HMUL2|IMAD\.(MOV|SHL|IADD|U32)"),
    ("uniform", r"U[A-Z]|R2UR|S2UR|LDCU"),
    ("memory", r"(LDG|STG|LDS|STS|LDSM|LDGSTS|ATOM|RED|LD\b|ST\b|LDC|LDL|STL)"),
    (
        "control",
        r"BRA|BSSY|BSYNC|EXIT|BAR|NOP|WARPSYNC|YIELD|CALL|RET|DEPBAR|LDGDEPBAR|ERRBAR|MEMBAR|PLOP|BREAK|CCTL|NANOSLEEP",
    ),
    ("alu", r""),
]
_PIPES = [(name, re.compile(pattern)) for name, pattern in PIPES]
_OF_OPCODE = {}


def pipe_of(opcode):
    if opcode not in _OF_OPCODE:
        _OF_OPCODE[opcode] = next(name for name, pattern in _PIPES if pattern.match(opcode))
    return _OF_OPCODE[opcode]


class Instruction:
    def __init__(self, text):
        self.control = 0
        match = re.match(r"(@!?U?P\w+\s+)?(\S+)\s*(.*)", text)
        self.guard, self.opcode, self.operands = match.group(1), match.group(2), match.group(3)
        self.pipe = pipe_of(self.opcode)

    # What the assembler says of timing, in the upper bits of the code: clocks until the next instruction, the counters
    # that tell when results have come and operands were read, and those that are waited for.
    @property
    def stall(self):
        return max(1, self.control & 0xF)

    @property
    def signals(self):
        return [barrier for barrier in (self.control >> 5 & 7, self.control >> 8 & 7) if barrier != 7]

    @property
    def awaited(self):
        return [i for i in range(6) if self.control >> 11 >> i & 1]

    def access(self):
        """Bytes of global memory that a thread moves: (read, written)."""
        kind = self.opcode.split(".")[0]
        if kind not in ("LDG", "STG", "LDGSTS"):
            return 0, 0
        sizes = {"U8": 1, "S8": 1, "U16": 2, "S16": 2, "64": 8, "128": 16, "256": 32}
        size = next((sizes[part] for part in self.opcode.split(".") if part in sizes), 4)
        return (0, size) if kind == "STG" else (size, 0)

    def registers(self):
        """(written, read); of a vector the first one is told, the others follow."""
        names = re.findall(r"\bR(\d+)\b", self.operands)
        if self.opcode.startswith(("ST", "RED")) or not names:
            return [], [int(n) for n in names]
        return [int(names[0])], [int(n) for n in names[1:]]


class Kernel:
    """The code that a kernel of the image has, and its registers and static shared memory."""

    def __init__(self, name):
        self.name, self.registers, self.shared = name, 0, 0
        self.code, self.labels = [], {}

    def finish(self):
        """Drops subroutines, and finds loops: (first, last), inner ones first."""
        exits = [i for i, x in enumerate(self.code) if x.opcode == "EXIT" and not x.guard]
        end = exits[-1] + 1 if exits else len(self.code)
        for label, at in self.labels.items():
            if "__internal" in label:
                end = min(end, at)
        # Blocks that ptxas moved behind the last exit jump back: keep them.
        jumps = [(i, self._target(x)) for i, x in enumerate(self.code[:end])]
        self.code = self.code[:end]
        self.loops = sorted(
            ((target, i) for i, target in jumps if target is not None and target < i), key=lambda l: l[1] - l[0]
        )
        self.skipped = self._slow_ways()

    def _target(self, instruction):
        if not instruction.opcode.startswith("BRA"):
            return None
        match = re.search(r"`\((\S+)\)", instruction.operands)
        return self.labels.get(match.group(1)) if match else None

    def _slow_ways(self):
        starts = {0, *self.labels.values()}
        starts |= {i + 1 for i, x in enumerate(self.code) if x.opcode.startswith(("BRA", "EXIT", "RET"))}
        skipped, edges = set(), sorted(starts) + [len(self.code)]
        for first, last in zip(edges, edges[1:]):
            # Now and then ptxas leaves a loop by a call, too.
            if any(x.opcode.startswith("CALL") and "__internal" in x.operands for x in self.code[first:last]):
                skipped.update(range(first, last))
        return skipped

    def masks(self, first, last):
        """Of a loop of tiles: what is jumped over and only selects, which few tiles need."""
        result = set()
        for i in range(first, last):
            target = self._target(self.code[i])
            if target is None or not i < target <= last:
                continue
            between = self.code[i + 1 : target]
            if not any(x.pipe in ("tensor", "memory", "special", "wide") for x in between):
                result.update(range(i + 1, target))
        return result

    def moved(self, loop=None):
        """(read, written) by one thread in one round of a loop, or in all."""
        first, last = loop or (0, len(self.code) - 1)
        moves = [x.access() for i, x in enumerate(self.code[first : last + 1], first) if i not in self.skipped]
        return sum(r for r, _ in moves), sum(w for _, w in moves)

    def weights(self, trips):
        """How often a thread executes each instruction, with a number of rounds for each loop."""
        weights = [0.0 if i in self.skipped else 1.0 for i in range(len(self.code))]
        for (first, last), rounds in trips.items():
            for i in range(first, last + 1):
                weights[i] *= rounds
        return weights

    def in_flight(self):
        """The most bytes that a thread has asked for when it first needs some of them."""
        most = now = 0
        waiting = {}
        for i, x in enumerate(self.code):
            if i in self.skipped:
                continue
            written, read = x.registers()
            touched = [r for r in waiting if any(r <= used < r + max(1, waiting[r] // 4) for used in read)]
            if touched or x.opcode.startswith(("BAR", "DEPBAR", "LDGDEPBAR")):
                most = max(most, now)
                # What was asked for before comes before.
                order = list(waiting)
                for r in order[: order.index(touched[-1]) + 1] if touched else order:
                    now -= waiting.pop(r)
            size = x.access()[0]
            if size:
                now += size - waiting.pop(written[0], 0) if written else size
                waiting[written[0] if written else -i] = size
        return max(most, now)

    def clocks(self, trips, latency):
        """How long one warp takes that is alone: `latency` is that of global memory."""
        return _Walk(self, trips, latency).run(0, len(self.code), 0.0, None)


# Until a result can be used, where the assembler does not count it in clocks.
LATENCY = {"LDS": 30, "LDSM": 33, "LDC": 40, "S2R": 25, "SHFL": 25, "MUFU": 25, "BAR": 30, "STG": 15, "STS": 15}
OTHER_LATENCY = 20


class _Walk:
    """One warp's way through its code, in order: an instruction begins when the one before lets it and what it waits for has come."""

    def __init__(self, kernel, trips, latency):
        self.kernel, self.trips, self.latency = kernel, trips, latency
        self.come = [0.0] * 8

    def run(self, first, last, now, within):
        loops = {
            loop[0]: loop
            for loop in sorted(self.kernel.loops, key=lambda l: l[1] - l[0])
            if loop != within and (within is None or within[0] <= loop[0] and loop[1] <= within[1])
        }
        at = first
        while at < last:
            if at in loops and loops[at][1] < last:
                loop = loops.pop(at)
                now = self._loop(loop, now)
                at = loop[1] + 1
                continue
            if at not in self.kernel.skipped:
                now = self._step(self.kernel.code[at], now)
            at += 1
        return now

    def _loop(self, loop, now):
        rounds, last = self.trips.get(loop, 1), 0.0
        for _ in range(min(rounds, 3)):
            before, now = now, self.run(loop[0], loop[1] + 1, now, loop)
            last = now - before
        more = last * max(0, rounds - 3)
        self.come = [come + more for come in self.come]
        return now + more

    def _step(self, instruction, now):
        now = max([now, *(self.come[barrier] for barrier in instruction.awaited)])
        kind = instruction.opcode.split(".")[0]
        if kind == "BAR":
            now += LATENCY[kind]
        for barrier in instruction.signals:
            latency = self.latency if kind in ("LDG", "LDGSTS") else LATENCY.get(kind, OTHER_LATENCY)
            self.come[barrier] = max(self.come[barrier], now + latency)
        return now + instruction.stall


def disassemble(nvdisasm, cubin):
    """The kernels of a cubin by name."""
    done = subprocess.run([nvdisasm, "-c", "-hex", cubin], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{nvdisasm}: {done.stderr.strip()}")
    kernels, current = {}, None
    for line in done.stdout.splitlines():
        if match := re.match(r"\.text\.(\S+):", line):
            current = kernels.setdefault(match.group(1), Kernel(match.group(1)))
        elif current and (match := re.match(r"([.$]\S+):\s*$", line)):
            current.labels[match.group(1)] = len(current.code)
        elif current and (match := re.match(r"\s+/\*[0-9a-f]{4,}\*/\s+(.*?)\s*;", line)):
            current.code.append(Instruction(match.group(1).strip("{} \t")))
        elif current and current.code and (match := re.match(r"\s+/\* 0x([0-9a-f]{16}) \*/\s*$", line)):
            current.code[-1].control = int(match.group(1), 16) >> 41
    with open(cubin, "rb") as file:
        _read_sections(file.read(), kernels)
    for kernel in kernels.values():
        kernel.finish()
    return kernels


def _read_sections(elf, kernels):
    """Static shared memory is a section; registers stand in an attribute (0x2f) of the symbol, in .nv.info."""
    (start,) = struct.unpack_from("<Q", elf, 40)
    _, count, names = struct.unpack_from("<HHH", elf, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", elf, start + i * 64) for i in range(count)]

    def text(table, at):
        begin = headers[table][4] + at
        return elf[begin : elf.index(b"\0", begin)].decode()

    symbols = []
    for kind, offset, size, link in ((h[1], h[4], h[5], h[6]) for h in headers):
        if kind == 2:
            symbols = [text(link, struct.unpack_from("<I", elf, at)[0]) for at in range(offset, offset + size, 24)]
    for header in headers:
        section, offset, size = text(names, header[0]), header[4], header[5]
        if section.startswith(".nv.shared.") and section[11:] in kernels:
            kernels[section[11:]].shared = size
        at = offset
        while section == ".nv.info" and at < offset + size:
            form, attribute, value = struct.unpack_from("<BBH", elf, at)
            if form == 4 and attribute == 0x2F:
                symbol, registers = struct.unpack_from("<II", elf, at + 4)
                if symbols[symbol] in kernels:
                    kernels[symbols[symbol]].registers = registers
            at += 4 + (value if form == 4 else 0)
