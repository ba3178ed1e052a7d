// The loader: real kernels run, and no broken object gets as far as a mapping.

#include "TestArtifact.h"
#include "core/ElfImage.h"

#include <gtest/gtest.h>

#include <cstring>
#include <elf.h>
#include <functional>
#include <random>

using namespace txrt;

namespace {

Span span(const std::vector<uint8_t> &bytes) {
  return {bytes.data(), bytes.size()};
}

Elf64_Ehdr &header(std::vector<uint8_t> &bytes) {
  return *reinterpret_cast<Elf64_Ehdr *>(bytes.data());
}

/// The first section header that fits; the test's own object is well formed.
Elf64_Shdr &section(std::vector<uint8_t> &bytes,
                    const std::function<bool(const Elf64_Shdr &)> &fits) {
  auto *all = reinterpret_cast<Elf64_Shdr *>(bytes.data() +
                                             header(bytes).e_shoff);
  for (int i = 0; i < header(bytes).e_shnum; ++i)
    if (fits(all[i]))
      return all[i];
  throw std::runtime_error("the test's object lacks a section");
}
Elf64_Shdr &ofType(std::vector<uint8_t> &bytes, uint32_t type) {
  return section(bytes, [=](auto &s) { return s.sh_type == type; });
}
Elf64_Shdr &text(std::vector<uint8_t> &bytes) {
  return section(bytes, [](auto &s) {
    return (s.sh_flags & SHF_EXECINSTR) && s.sh_size;
  });
}
/// Relocations of code.
Elf64_Shdr &relocations(std::vector<uint8_t> &bytes) {
  auto *all = reinterpret_cast<Elf64_Shdr *>(bytes.data() +
                                             header(bytes).e_shoff);
  return section(bytes, [=](auto &s) {
    return s.sh_type == SHT_RELA && (all[s.sh_info].sh_flags & SHF_EXECINSTR);
  });
}
Elf64_Rela &relocation(std::vector<uint8_t> &bytes) {
  return *reinterpret_cast<Elf64_Rela *>(bytes.data() +
                                         relocations(bytes).sh_offset);
}
Elf64_Sym &symbol(std::vector<uint8_t> &bytes, const std::string &name) {
  Elf64_Shdr &table = ofType(bytes, SHT_SYMTAB);
  auto *all = reinterpret_cast<Elf64_Shdr *>(bytes.data() +
                                             header(bytes).e_shoff);
  auto *names = reinterpret_cast<const char *>(
      bytes.data() + all[table.sh_link].sh_offset);
  auto *symbols =
      reinterpret_cast<Elf64_Sym *>(bytes.data() + table.sh_offset);
  for (size_t i = 0; i < table.sh_size / sizeof(Elf64_Sym); ++i)
    if (name == names + symbols[i].st_name)
      return symbols[i];
  throw std::runtime_error("the test's object lacks " + name);
}

void refused(const char *message,
             const std::function<void(std::vector<uint8_t> &)> &change) {
  std::vector<uint8_t> bytes = testKernels();
  change(bytes);
  try {
    ElfObject object("test.txa", span(bytes));
    FAIL() << "accepted; expected: " << message;
  } catch (const Failure &failure) {
    EXPECT_EQ(failure.code, TXRT_BAD_INPUT);
    EXPECT_NE(failure.message.find(message), std::string::npos)
        << "expected: " << message << "\ngot: " << failure.message;
  }
}

} // namespace

TEST(Elf, KernelsRun) {
  ElfObject object("test.txa", span(testKernels()));
  EXPECT_FALSE(object.relocations().empty());
  EXPECT_EQ(object.function("weightOf"), object.function("no such kernel"));
  ASSERT_NE(object.function("weigh"), nullptr);
  ElfImage image("test.txa", object);
  auto weigh = reinterpret_cast<txrt_host_kernel>(
      image.address(*object.function("weigh")));
  float in[16], out[16] = {};
  for (int i = 0; i < 16; ++i)
    in[i] = static_cast<float>(i);
  void *buffers[] = {in, out};
  uint32_t shift = 3;
  weigh(buffers, &shift, 2, 14);
  for (int i = 0; i < 16; ++i) {
    float weight = 0.5f + static_cast<float>((i + 3) % 8);
    EXPECT_EQ(out[i], i >= 2 && i < 14 ? in[i] * weight : 0.0f);
  }
}

TEST(Elf, Header) {
  refused("outside the object", [](auto &b) { b.resize(10); });
  refused("not an ELF object", [](auto &b) { b[1] = 'e'; });
  refused("x86-64", [](auto &b) { header(b).e_machine = EM_AARCH64; });
  refused("x86-64", [](auto &b) { b[EI_CLASS] = ELFCLASS32; });
  refused("relocatable", [](auto &b) { header(b).e_type = ET_DYN; });
  refused("section headers", [](auto &b) { header(b).e_shnum = 0; });
  refused("section headers", [](auto &b) { header(b).e_shentsize = 1; });
  refused("outside the object",
          [](auto &b) { header(b).e_shoff = ~uint64_t(0); });
  refused("outside the object", [](auto &b) { header(b).e_shnum = 60000; });
  refused("names are missing", [](auto &b) { header(b).e_shstrndx = 60000; });
  refused("names are missing", [](auto &b) { header(b).e_shstrndx = 0; });
}

TEST(Elf, Sections) {
  refused("name", [](auto &b) { text(b).sh_name = UINT32_MAX; });
  refused("outside", [](auto &b) { text(b).sh_offset = ~uint64_t(0); });
  refused("outside", [](auto &b) { text(b).sh_size = uint64_t(1) << 40; });
  refused("alignment 3", [](auto &b) { text(b).sh_addralign = 3; });
  refused("alignment", [](auto &b) { text(b).sh_addralign = 1u << 20; });
  refused("writable code", [](auto &b) { text(b).sh_flags |= SHF_WRITE; });
  refused("thread-local", [](auto &b) { text(b).sh_flags |= SHF_TLS; });
  refused("no constructors", [](auto &b) { text(b).sh_type = SHT_INIT_ARRAY; });
  refused("no constructors", [](auto &b) { text(b).sh_type = SHT_FINI_ARRAY; });
  refused("without addends", [](auto &b) { relocations(b).sh_type = SHT_REL; });
  refused("type", [](auto &b) { text(b).sh_type = SHT_DYNAMIC; });
  refused("needs more than 1.0 GiB", [](auto &b) {
    text(b).sh_type = SHT_NOBITS, text(b).sh_size = uint64_t(1) << 40;
  });
}

TEST(Elf, Symbols) {
  refused("no symbol table",
          [](auto &b) { ofType(b, SHT_SYMTAB).sh_type = SHT_PROGBITS; });
  refused("no names", [](auto &b) { ofType(b, SHT_SYMTAB).sh_link = 0; });
  refused("no names", [](auto &b) { ofType(b, SHT_SYMTAB).sh_link = 99999; });
  refused("broken size", [](auto &b) { --ofType(b, SHT_SYMTAB).sh_size; });
  refused("needs the symbol 'bump'; kernels have no dependencies",
          [](auto &b) { symbol(b, "bump").st_shndx = SHN_UNDEF; });
  refused("'bump' has no section",
          [](auto &b) { symbol(b, "bump").st_shndx = SHN_ABS; });
  refused("'bump' is outside its section",
          [](auto &b) { symbol(b, "bump").st_value = 1u << 30; });
  refused("'bump' is outside its section",
          [](auto &b) { symbol(b, "bump").st_size = ~uint64_t(0); });
  refused("thread-local or indirect", [](auto &b) {
    symbol(b, "bump").st_info = ELF64_ST_INFO(STB_GLOBAL, STT_TLS);
  });
  refused("thread-local or indirect", [](auto &b) {
    symbol(b, "bump").st_info = ELF64_ST_INFO(STB_GLOBAL, STT_GNU_IFUNC);
  });
  refused("a name", [](auto &b) { symbol(b, "bump").st_name = UINT32_MAX; });
  refused("'weigh' is there twice", [](auto &b) {
    symbol(b, "bump").st_name = symbol(b, "weigh").st_name;
  });
}

TEST(Elf, Relocations) {
  refused("relocation type 1;", [](auto &b) {
    relocation(b).r_info = ELF64_R_INFO(ELF64_R_SYM(relocation(b).r_info),
                                        R_X86_64_64);
  });
  refused("relocation type 9;", [](auto &b) {
    relocation(b).r_info = ELF64_R_INFO(ELF64_R_SYM(relocation(b).r_info),
                                        R_X86_64_GOTPCREL);
  });
  refused("outside its section",
          [](auto &b) { relocation(b).r_offset = ~uint64_t(0); });
  refused("outside its section",
          [](auto &b) { relocation(b).r_offset = text(b).sh_size - 1 + 4096; });
  refused("names no symbol", [](auto &b) {
    relocation(b).r_info = ELF64_R_INFO(0, R_X86_64_PC32);
  });
  refused("names no symbol", [](auto &b) {
    relocation(b).r_info = ELF64_R_INFO(0xffffffffu, R_X86_64_PC32);
  });
  refused("of no section", [](auto &b) { relocations(b).sh_info = 99999; });
  refused("another symbol table", [](auto &b) { relocations(b).sh_link = 0; });
  refused("broken size", [](auto &b) { --relocations(b).sh_size; });
}

TEST(Elf, RelocationThatDoesNotFit) {
  std::vector<uint8_t> bytes = testKernels();
  relocation(bytes).r_addend = int64_t(1) << 40;
  ElfObject object("test.txa", span(bytes));
  EXPECT_THROW(ElfImage("test.txa", object), Failure);
}

TEST(Elf, TruncationAtEveryLength) {
  const std::vector<uint8_t> &whole = testKernels();
  for (size_t length = 0; length < whole.size(); ++length) {
    std::vector<uint8_t> part(whole.begin(), whole.begin() + long(length));
    EXPECT_THROW(ElfObject("test.txa", span(part)), Failure) << length;
  }
}

// Whatever the bytes are, reading and mapping them ends in an object or a
// Failure (run this under ASan).
TEST(Elf, Mutations) {
  std::mt19937 random(3);
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> bytes = testKernels();
    for (unsigned change = random() % 4 + 1; change; --change) {
      size_t width = size_t(1) << random() % 4;
      size_t at = random() % (bytes.size() - 8);
      // Half of the changes hit the section headers at the end.
      if (random() % 2)
        at = bytes.size() - 8 - random() % std::min<size_t>(600, bytes.size() / 2);
      uint64_t value = random() % 3 ? random() : random() % 2 ? ~0ull : 0;
      memcpy(&bytes[at], &value, width);
    }
    try {
      ElfObject object("test.txa", span(bytes));
      ElfImage image("test.txa", object);
    } catch (const Failure &) {
    }
  }
}
