#include "core/ElfObject.h"

#include <algorithm>
#include <elf.h>

using namespace txrt;

using ull = unsigned long long;

// A whole training step has a few hundred kernels and some MiB of code.
static constexpr uint64_t maxMemory = uint64_t(1) << 30;
static constexpr uint64_t maxAlignment = 4096;
static constexpr uint64_t maxName = 4096;
static constexpr uint32_t notLoaded = UINT32_MAX;

namespace txrt {

class ElfReader {
public:
  ElfReader(ElfObject &object, const std::string &artifact, Span file)
      : object(object), artifact(artifact), file(file) {}

  void read() {
    readHeader();
    readSections();
    readSymbols();
    for (const Elf64_Shdr &section : headers)
      if (section.sh_type == SHT_RELA)
        readRelocations(section);
  }

private:
  [[noreturn]] void refuse(const std::string &what) const {
    fail(TXRT_BAD_INPUT, "%s: host kernels: %s", artifact.c_str(),
         what.c_str());
  }

  /// The bytes [offset, offset + size) of the file.
  Span range(uint64_t offset, uint64_t size, const char *what) const {
    if (offset > file.size || size > file.size - offset)
      refuse(format("%s (%llu bytes at %llu) is outside the object", what,
                    static_cast<ull>(size), static_cast<ull>(offset)));
    return {file.data + offset, size};
  }

  template <typename T>
  std::vector<T> items(uint64_t offset, uint64_t size, const char *what) const {
    Span span = range(offset, size, what);
    if (size % sizeof(T) != 0)
      refuse(format("%s has a broken size", what));
    std::vector<T> result(size / sizeof(T));
    if (size)
      memcpy(result.data(), span.data, size);
    return result;
  }

  /// A NUL-terminated string in a string table.
  std::string text(Span table, uint64_t offset) const {
    if (offset >= table.size)
      refuse("a name is outside its string table");
    auto *start = reinterpret_cast<const char *>(table.data + offset);
    size_t limit = std::min(table.size - offset, maxName);
    size_t length = strnlen(start, limit);
    if (length == limit)
      refuse("a name does not end");
    return std::string(start, length);
  }

  void readHeader() {
    Span bytes = range(0, sizeof header, "header");
    memcpy(&header, bytes.data, sizeof header);
    if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
      refuse("not an ELF object");
    if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != EM_X86_64)
      refuse("not for little-endian x86-64");
    if (header.e_type != ET_REL)
      refuse("not a relocatable object");
    if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shnum == 0)
      refuse("has no section headers");
    headers = items<Elf64_Shdr>(
        header.e_shoff, uint64_t(header.e_shnum) * sizeof(Elf64_Shdr),
        "section header table");
  }

  void readSections() {
    if (header.e_shstrndx >= headers.size())
      refuse("section names are missing");
    const Elf64_Shdr &table = headers[header.e_shstrndx];
    if (table.sh_type != SHT_STRTAB)
      refuse("section names are missing");
    Span names = range(table.sh_offset, table.sh_size, "section names");
    uint64_t memory = 0;
    for (const Elf64_Shdr &section : headers) {
      loadedIndex.push_back(notLoaded);
      if (section.sh_type == SHT_NULL)
        continue;
      std::string name = text(names, section.sh_name);
      checkKind(section, name);
      if (!(section.sh_flags & SHF_ALLOC) || skipped(section, name))
        continue;
      uint64_t alignment = section.sh_addralign ? section.sh_addralign : 1;
      if (alignment & (alignment - 1) || alignment > maxAlignment)
        refuse(format("section %s: alignment %llu", printable(name).c_str(),
                      static_cast<ull>(alignment)));
      ElfAccess access = section.sh_flags & SHF_EXECINSTR ? ElfAccess::Execute
                         : section.sh_flags & SHF_WRITE   ? ElfAccess::Write
                                                          : ElfAccess::ReadOnly;
      if ((section.sh_flags & SHF_EXECINSTR) && (section.sh_flags & SHF_WRITE))
        refuse("section " + printable(name) + " is writable code");
      Span content;
      if (section.sh_type != SHT_NOBITS)
        content = range(section.sh_offset, section.sh_size, "section content");
      if (section.sh_size > maxMemory ||
          (memory += section.sh_size + alignment) > maxMemory)
        refuse("needs more than " + readableBytes(maxMemory));
      loadedIndex.back() = static_cast<uint32_t>(object.loaded.size());
      object.loaded.push_back({access, section.sh_size, alignment, content});
    }
  }

  void checkKind(const Elf64_Shdr &section, const std::string &name) const {
    if (section.sh_flags & SHF_TLS)
      refuse("section " + printable(name) + ": thread-local data");
    switch (section.sh_type) {
    case SHT_INIT_ARRAY:
    case SHT_FINI_ARRAY:
    case SHT_PREINIT_ARRAY:
      refuse("section " + printable(name) + ": kernels have no constructors");
    case SHT_REL:
      refuse("section " + printable(name) + ": relocations without addends");
    case SHT_GROUP:
    case SHT_DYNAMIC:
    case SHT_HASH:
    case SHT_DYNSYM:
      refuse("section " + printable(name) + format(": type %u", section.sh_type));
    default:
      break;
    }
    for (const char *prefix : {".ctors", ".dtors", ".init", ".fini", ".tdata",
                               ".tbss", ".preinit_array"})
      if (name.compare(0, strlen(prefix), prefix) == 0)
        refuse("section " + printable(name) + ": kernels have no constructors");
  }

  /// Unwind tables and notes: nobody unwinds through a kernel.
  static bool skipped(const Elf64_Shdr &section, const std::string &name) {
    return section.sh_type == SHT_NOTE || section.sh_type == SHT_X86_64_UNWIND ||
           name == ".eh_frame";
  }

  void readSymbols() {
    const Elf64_Shdr *table = nullptr;
    for (size_t i = 0; i < headers.size(); ++i) {
      if (headers[i].sh_type != SHT_SYMTAB)
        continue;
      if (table)
        refuse("has two symbol tables");
      table = &headers[i];
      symbolTable = static_cast<uint32_t>(i);
    }
    if (!table)
      refuse("has no symbol table");
    symbols = items<Elf64_Sym>(table->sh_offset, table->sh_size,
                               "symbol table");
    if (table->sh_link >= headers.size() ||
        headers[table->sh_link].sh_type != SHT_STRTAB)
      refuse("symbols have no names");
    const Elf64_Shdr &strings = headers[table->sh_link];
    Span names = range(strings.sh_offset, strings.sh_size, "symbol names");
    for (size_t i = 1; i < symbols.size(); ++i)
      readSymbol(symbols[i], text(names, symbols[i].st_name));
  }

  void readSymbol(const Elf64_Sym &symbol, const std::string &name) {
    unsigned type = ELF64_ST_TYPE(symbol.st_info);
    if (type == STT_FILE)
      return;
    if (symbol.st_shndx == SHN_UNDEF)
      refuse("needs the symbol '" + printable(name) +
             "'; kernels have no dependencies");
    if (type == STT_TLS || type == STT_GNU_IFUNC)
      refuse("symbol '" + printable(name) + "' is thread-local or indirect");
    if (symbol.st_shndx >= headers.size())
      refuse("symbol '" + printable(name) + "' has no section");
    uint32_t index = loadedIndex[symbol.st_shndx];
    if (index == notLoaded)
      return; // of a debug section; a relocation to it is refused below
    const ElfSection &section = object.loaded[index];
    if (symbol.st_value > section.size ||
        symbol.st_size > section.size - symbol.st_value)
      refuse("symbol '" + printable(name) + "' is outside its section");
    if (type != STT_FUNC || ELF64_ST_BIND(symbol.st_info) == STB_LOCAL ||
        section.access != ElfAccess::Execute ||
        symbol.st_value == section.size)
      return;
    if (!object.functions.insert({name, {index, symbol.st_value}}).second)
      refuse("function '" + printable(name) + "' is there twice");
  }

  void readRelocations(const Elf64_Shdr &section) {
    if (section.sh_info >= headers.size())
      refuse("relocations of no section");
    uint32_t place = loadedIndex[section.sh_info];
    if (place == notLoaded)
      return;
    if (section.sh_link != symbolTable)
      refuse("relocations use another symbol table");
    const ElfSection &patched = object.loaded[place];
    if (!patched.content.data)
      refuse("relocations in a section without content");
    for (const Elf64_Rela &entry : items<Elf64_Rela>(
             section.sh_offset, section.sh_size, "relocation table")) {
      uint8_t bytes = width(ELF64_R_TYPE(entry.r_info));
      if (entry.r_offset > patched.size ||
          bytes > patched.size - entry.r_offset)
        refuse("a relocation is outside its section");
      uint64_t index = ELF64_R_SYM(entry.r_info);
      if (index == 0 || index >= symbols.size())
        refuse("a relocation names no symbol");
      const Elf64_Sym &symbol = symbols[index];
      // readSymbol has bounded st_shndx, except for file symbols.
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FILE ||
          loadedIndex[symbol.st_shndx] == notLoaded)
        refuse("a relocation points to a section that is not loaded");
      object.relocs.push_back(
          {{place, entry.r_offset},
           {loadedIndex[symbol.st_shndx], symbol.st_value},
           entry.r_addend,
           bytes});
    }
  }

  uint8_t width(uint64_t type) const {
    switch (type) {
    case R_X86_64_PC32:
    case R_X86_64_PLT32: // every symbol is defined here: no table is needed
      return 4;
    case R_X86_64_PC64:
      return 8;
    default:
      refuse(format("relocation type %llu; only PC-relative ones are known "
                    "(PC32, PLT32, PC64)",
                    static_cast<ull>(type)));
    }
  }

  ElfObject &object;
  const std::string &artifact;
  Span file;
  Elf64_Ehdr header = {};
  std::vector<Elf64_Shdr> headers;
  std::vector<uint32_t> loadedIndex; // of a section in object.loaded
  std::vector<Elf64_Sym> symbols;
  uint32_t symbolTable = 0;
};

} // namespace txrt

ElfObject::ElfObject(const std::string &artifact, Span bytes) {
  ElfReader(*this, artifact, bytes).read();
}

const ElfPlace *ElfObject::function(const std::string &name) const {
  auto found = functions.find(name);
  return found == functions.end() ? nullptr : &found->second;
}
