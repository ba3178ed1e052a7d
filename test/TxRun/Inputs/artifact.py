"""An artifact's parts, to be read, changed and signed again (docs/Artifact.md, runtime/include/txrt/abi.h)."""

import hashlib
import json
import struct

SECTION_NAMES = {
    1: "manifest",
    2: "entries",
    3: "launches",
    4: "buffers",
    5: "kernels",
    6: "strings",
    7: "code",
    8: "attentions",
}
KERNEL, GEMM, COLLECTIVE = 0, 1, 2


def fields(text):
    """ "u32 kind, u64 offset" as [(name, format, offset)] and the size of all."""
    formats = {"u8": "B", "u16": "H", "u32": "I", "i32": "i", "u64": "Q", "f32": "f"}
    found, at = [], 0
    for item in text.split(","):
        kind, name = item.split()
        size = struct.calcsize(formats[kind])
        at = (at + size - 1) // size * size
        found.append((name, "<" + formats[kind], at))
        at += size
    return found


def numbered(kind, name, count):
    return ", ".join(f"{kind} {name}{i}" for i in range(count))


LAUNCH = (
    "u32 kind, u32 phase, i32 layer, u32 name, u32 first_buffer, u32 buffer_count, u32 lane, u32 wait_compute, "
    "u32 wait_copies, u32 wait_collectives, u64 flops, "
)
LAUNCHES = {
    KERNEL: fields(
        LAUNCH
        + "u32 kernel, u32 immediate_count, u64 units, u64 grain, "
        + numbered("u32", "immediate", 6)
        + ", u32 attention, u32 reserved"
    ),
    GEMM: fields(
        LAUNCH
        + numbered("u32", "buffer", 13)
        + ", u8 transpose_a, u8 transpose_b, u8 r0, u8 r1, f32 alpha, f32 beta, u64 m, u64 n, u64 k, "
        + "u64 batch0, u64 batch1, "
        + ", ".join(f"u64 ld{m}, u64 stride_{m}0, u64 stride_{m}1, u64 repeat_{m}" for m in "abc")
    ),
    COLLECTIVE: fields(
        LAUNCH + "u32 collective, u32 axis, u32 ranks, u32 stride, u64 count, u64 sent, u64 outer, i32 peer, u32 wraps"
    ),
}
LAUNCH_BYTES = 248
TABLES = {  # section: fields, bytes of an item
    "entries": (fields("u32 name, u32 first_launch, u32 launch_count, u32 reserved"), 16),
    "buffers": (fields("u32 segment, u32 dtype, u64 offset, u64 bytes, u32 writes, u32 unread"), 32),
    "kernels": (fields("u32 name, u32 buffer_count, u32 immediate_count, u32 reserved"), 16),
    "attentions": (
        fields(
            numbered("u32", "buffer", 12)
            + ", f32 scale, f32 soft_cap, "
            + numbered("u64", "row_stride", 12)
            + ", u64 batch, u64 queries, u64 keys, u64 heads, u64 key_heads, u64 width, u64 value_width, u64 window, "
            "u8 backward, u8 causal, u8 deterministic, " + numbered("u8", "r", 5)
        ),
        224,
    ),
}
HEADER = fields("u64 magic, u32 abi_version, u32 section_count, u64 file_bytes")
SECTION = fields("u32 kind, u32 reserved, u64 offset, u64 bytes")
# What stands in the code unit behind the code. Nobody but the compiler knows `entry` and `units_per_block`.
END = fields("u64 code_bytes, u32 function_count, u32 operand_count, u32 image_count, u32 name_bytes")
END_BYTES, FUNCTION_BYTES, OPERAND_BYTES = 64, 48, 16
FUNCTION = fields("u32 name, u32 first_operand, u32 operand_count, u32 immediate_count, u64 units")
OPERAND = fields("u32 dtype, u16 writes, u16 unread, u64 bytes")
ELF_HEADER = fields(
    "u32 magic, u8 class, u8 data, u8 version, u8 abi, u64 pad, u16 e_type, u16 e_machine, u32 e_version, "
    "u64 e_entry, u64 e_phoff, u64 e_shoff, u32 e_flags, u16 e_ehsize, u16 e_phentsize, u16 e_phnum, "
    "u16 e_shentsize, u16 e_shnum, u16 e_shstrndx"
)
ELF_SECTION = fields(
    "u32 sh_name, u32 sh_type, u64 sh_flags, u64 sh_addr, u64 sh_offset, u64 sh_size, u32 sh_link, "
    "u32 sh_info, u64 sh_addralign, u64 sh_entsize"
)
ELF_SYMBOL = fields("u32 st_name, u8 st_info, u8 st_other, u16 st_shndx, u64 st_value, u64 st_size")
ELF_RELOCATION = fields("u64 r_offset, u32 r_type, u32 r_sym, u64 r_addend")


class Item:
    """A record in bytes: its fields by their names."""

    def __init__(self, data, at, layout):
        self.data, self.at, self.layout = data, at, layout

    def get(self, name):
        _, form, offset = next(f for f in self.layout if f[0] == name)
        return struct.unpack_from(form, self.data, self.at + offset)[0]

    def set(self, name, value):
        _, form, offset = next(f for f in self.layout if f[0] == name)
        size = 8 * struct.calcsize(form)
        if form == "<f":
            value = float(value)
        elif form == "<i":
            value = (value + 2 ** (size - 1)) % 2**size - 2 ** (size - 1)
        else:
            value %= 2**size
        struct.pack_into(form, self.data, self.at + offset, value)


class Artifact:
    def __init__(self, data):
        self.header = bytearray(data[:64])
        (count,) = struct.unpack_from("<I", data, 12)
        self.sections = {}
        for i in range(count):
            kind, _, offset, size = struct.unpack_from("<IIQQ", data, 64 + 24 * i)
            self.sections[SECTION_NAMES[kind]] = bytearray(data[offset : offset + size])

    def copy(self):
        other = Artifact.__new__(Artifact)
        other.header = bytearray(self.header)
        other.sections = {name: bytearray(data) for name, data in self.sections.items()}
        return other

    @property
    def manifest(self):
        return json.loads(self.sections["manifest"])

    @manifest.setter
    def manifest(self, value):
        self.sections["manifest"] = bytearray(json.dumps(value).encode())

    def items(self, table):
        data = self.sections.get(table, bytearray())
        if table == "launches":
            return [
                Item(data, at, LAUNCHES[struct.unpack_from("<I", data, at)[0]])
                for at in range(0, len(data), LAUNCH_BYTES)
            ]
        layout, size = TABLES[table]
        return [Item(data, at, layout) for at in range(0, len(data), size)]

    def item_bytes(self, table):
        return LAUNCH_BYTES if table == "launches" else TABLES[table][1]

    # The code unit.
    def end(self):
        code = self.sections["code"]
        return Item(code, len(code) - END_BYTES, END)

    def records(self, layout, start, count, size):
        """As many of them as there is room for: counts may have been changed."""
        code = self.sections["code"]
        return [Item(code, at, layout) for at in range(start, min(start + count * size, len(code) - size), size)]

    def functions(self):
        end = self.end()
        return self.records(FUNCTION, end.get("code_bytes"), end.get("function_count"), FUNCTION_BYTES)

    def operands(self):
        end = self.end()
        start = end.get("code_bytes") + end.get("function_count") * FUNCTION_BYTES
        return self.records(OPERAND, start, end.get("operand_count"), OPERAND_BYTES)

    def elf_items(self):
        """Header, section headers, symbols and relocations of host code."""
        code = self.sections["code"]
        header = Item(code, 0, ELF_HEADER)
        found = [header]
        for i in range(header.get("e_shnum")):
            at = header.get("e_shoff") + i * header.get("e_shentsize")
            if at + 64 > len(code):
                break
            section = Item(code, at, ELF_SECTION)
            found.append(section)
            layouts = {2: (ELF_SYMBOL, 24), 4: (ELF_RELOCATION, 24)}
            layout, size = layouts.get(section.get("sh_type"), (None, 1))
            if layout:
                found += self.records(layout, section.get("sh_offset"), section.get("sh_size") // size, size)
        return found

    def sign_code(self):
        code = self.sections["code"]
        at = len(code) - END_BYTES + 24
        code[at : at + 32] = bytes(32)
        code[at : at + 32] = hashlib.sha256(code).digest()

    def build(self, change=lambda data: None):
        """The file, with `change` made to its header and directory, under a valid digest."""
        kinds = {name: kind for kind, name in SECTION_NAMES.items()}
        offset = (64 + 24 * len(self.sections) + 63) // 64 * 64
        directory, body = b"", b""
        for name, data in self.sections.items():
            directory += struct.pack("<IIQQ", kinds[name], 0, offset + len(body), len(data))
            body += bytes(data) + bytes(-len(data) % 64)
        data = bytearray(self.header + directory)
        data += bytes(offset - len(data)) + body
        struct.pack_into("<IQ", data, 12, len(self.sections), len(data))
        change(data)
        return sign(data)


def sign(data):
    data[24:56] = bytes(32)
    data[24:56] = hashlib.sha256(data).digest()
    return data
