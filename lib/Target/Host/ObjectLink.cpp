//===- ObjectLink.cpp - Objects of the code generator become code at any place ------------------------------------===//

#include "ObjectLink.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using tx::TargetCode;

namespace {

using Object = object::ELF64LEObjectFile;

Error refuse(const Twine &why) { return createStringError("generated code " + why); }

enum Part { Text, Constants, kParts };

/// A section of the output file. It holds the bytes of many input sections.
struct OutputSection {
  SmallVector<char, 0> bytes;
  uint64_t alignment = 1;
  uint64_t place = 0; // byte offset in the file

  uint64_t append(StringRef content, uint64_t align) {
    alignment = std::max(alignment, align);
    // The padding between two functions is never run; as LLVM does, fill it with breakpoints.
    bytes.resize(alignTo(bytes.size(), align), '\xcc');
    uint64_t offset = bytes.size();
    bytes.append(content.begin(), content.end());
    return offset;
  }
};

struct Position {
  Part part;
  uint64_t offset;
};

class Linker {
public:
  /// Gives each section of the object that is loaded a place in the output, and records the object's functions.
  Error add(const Object &object, StringRef name);
  Error relocate();
  tx::host::LinkedCode finish();

private:
  struct Function {
    std::string name;
    Position position;
    uint64_t size;
  };
  struct Input {
    const Object *object;
    DenseMap<uint64_t, Position> sections; // loaded sections, by index
  };

  static const auto *headerOf(const Object &object, const object::SectionRef &section) {
    return object.getSection(section.getRawDataRefImpl());
  }
  Error addSection(Input &input, const object::SectionRef &section);
  Error addFunction(const Input &input, const object::ELFSymbolRef &symbol, StringRef name);
  Expected<Position> positionOf(const Input &input, const object::ELFSymbolRef &symbol);
  Error apply(const Input &input, const object::ELFRelocationRef &relocation, Position section, StringRef name);
  uint64_t placeOf(Position position) { return parts[position.part].place + position.offset; }

  OutputSection parts[kParts];
  StringMap<uint64_t> constants; // offset of a section, by its alignment and bytes
  std::vector<Input> inputs;
  std::vector<Function> functions;
};

} // namespace

Error Linker::add(const Object &object, StringRef name) {
  Input &input = inputs.emplace_back(Input{&object, DenseMap<uint64_t, Position>()});
  for (const object::SectionRef &section : object.sections())
    if (Error error = addSection(input, section))
      return error;
  size_t before = functions.size();
  for (const object::ELFSymbolRef &symbol : object.symbols())
    if (symbol.getRawDataRefImpl().d.b != 0) // entry 0 is empty
      if (Error error = addFunction(input, symbol, name))
        return error;
  if (!name.empty() && functions.size() != before + 1)
    return refuse("has " + Twine(functions.size() - before) + " functions in the place of '" + name + "'");
  return Error::success();
}

Error Linker::addSection(Input &input, const object::SectionRef &section) {
  const auto *header = headerOf(*input.object, section);
  if (!(header->sh_flags & ELF::SHF_ALLOC) || header->sh_type == ELF::SHT_X86_64_UNWIND || !header->sh_size)
    return Error::success();
  Expected<StringRef> name = section.getName();
  if (!name)
    return name.takeError();
  if (header->sh_flags & (ELF::SHF_WRITE | ELF::SHF_TLS)) // lists of constructors are writable too
    return refuse("has writable data in section " + *name);
  if (section.isBSS())
    return Error::success(); // an error follows if a symbol lies in it
  Expected<StringRef> content = section.getContents();
  if (!content)
    return content.takeError();
  uint64_t alignment = std::max<uint64_t>(1, header->sh_addralign);
  Position position{header->sh_flags & ELF::SHF_EXECINSTR ? Text : Constants, 0};
  bool isMoved = llvm::any_of(input.object->sections(), [&](const object::SectionRef &other) {
    Expected<object::section_iterator> target = other.getRelocatedSection();
    return !errorToBool(target.takeError()) && *target != input.object->section_end() && **target == section;
  });
  if (position.part == Constants && !isMoved) {
    auto [known, isNew] = constants.try_emplace((Twine(alignment) + ":" + *content).str(), 0);
    if (isNew)
      known->second = parts[Constants].append(*content, alignment);
    position.offset = known->second;
  } else {
    position.offset = parts[position.part].append(*content, alignment);
  }
  input.sections[section.getIndex()] = position;
  return Error::success();
}

Expected<Position> Linker::positionOf(const Input &input, const object::ELFSymbolRef &symbol) {
  Expected<object::section_iterator> section = symbol.getSection();
  if (!section)
    return section.takeError();
  Expected<uint64_t> value = symbol.getValue();
  if (!value)
    return value.takeError();
  auto found =
      *section == input.object->section_end() ? input.sections.end() : input.sections.find((*section)->getIndex());
  if (found == input.sections.end())
    return refuse("has a symbol without a place in the code");
  return Position{found->second.part, found->second.offset + *value};
}

Error Linker::addFunction(const Input &input, const object::ELFSymbolRef &symbol, StringRef name) {
  Expected<uint32_t> flags = symbol.getFlags();
  if (!flags)
    return flags.takeError();
  Expected<StringRef> own = symbol.getName();
  if (!own)
    return own.takeError();
  if (*flags & object::SymbolRef::SF_Undefined)
    return refuse("needs the function '" + *own + "', and kernels stand alone");
  if (symbol.getELFType() != ELF::STT_FUNC || !(*flags & object::SymbolRef::SF_Global))
    return Error::success();
  Expected<Position> position = positionOf(input, symbol);
  if (!position)
    return position.takeError();
  functions.push_back({(name.empty() ? *own : name).str(), *position, symbol.getSize()});
  return Error::success();
}

Error Linker::apply(const Input &input, const object::ELFRelocationRef &relocation, Position section, StringRef name) {
  // Every symbol is defined in the object itself, so a call needs no procedure linkage table.
  if (relocation.getType() != ELF::R_X86_64_PC32 && relocation.getType() != ELF::R_X86_64_PLT32) {
    SmallString<32> type;
    relocation.getTypeName(type);
    return refuse("has a relocation " + type + " in section " + name);
  }
  Expected<Position> target = positionOf(input, object::ELFSymbolRef(*relocation.getSymbol()));
  if (!target)
    return target.takeError();
  Expected<int64_t> addend = relocation.getAddend();
  if (!addend)
    return addend.takeError();
  section.offset += relocation.getOffset();
  if (section.offset + 4 > parts[section.part].bytes.size())
    return refuse("has a relocation behind the end of section " + name);
  int64_t distance = static_cast<int64_t>(placeOf(*target) - placeOf(section)) + *addend;
  if (!isInt<32>(distance))
    return refuse("is larger than a relocation reaches");
  support::endian::write32le(parts[section.part].bytes.data() + section.offset, static_cast<uint32_t>(distance));
  return Error::success();
}

Error Linker::relocate() {
  uint64_t end = sizeof(ELF::Elf64_Ehdr);
  for (OutputSection &part : parts) {
    part.place = alignTo(end, part.alignment);
    end = part.place + part.bytes.size();
  }
  for (const Input &input : inputs)
    for (const object::SectionRef &section : input.object->sections()) {
      Expected<StringRef> name = section.getName();
      if (!name)
        return name.takeError();
      Expected<object::section_iterator> target = section.getRelocatedSection();
      if (!target)
        return target.takeError();
      // Sections that are not loaded (for debuggers) have no place here, so their relocations are not applied.
      auto found =
          *target == input.object->section_end() ? input.sections.end() : input.sections.find((*target)->getIndex());
      if (found == input.sections.end())
        continue;
      for (const object::RelocationRef &relocation : section.relocations())
        if (Error error = apply(input, relocation, found->second, *name))
          return error;
    }
  return Error::success();
}

tx::host::LinkedCode Linker::finish() {
  tx::host::LinkedCode result;
  std::string strings(1, '\0');
  std::vector<ELF::Elf64_Sym> symbols(1);
  std::vector<ELF::Elf64_Shdr> headers(1);
  SmallVector<char, 0> &file = result.object;
  file.resize(sizeof(ELF::Elf64_Ehdr));

  auto nameOf = [&](StringRef name) {
    strings += name;
    strings += '\0';
    return static_cast<uint32_t>(strings.size() - name.size() - 1);
  };
  auto append = [&](uint32_t name, uint32_t type, uint64_t alignment, ArrayRef<char> bytes) -> ELF::Elf64_Shdr & {
    file.resize(alignTo(file.size(), alignment));
    ELF::Elf64_Shdr &header = headers.emplace_back();
    header.sh_name = name;
    header.sh_type = type;
    header.sh_offset = file.size();
    header.sh_size = bytes.size();
    header.sh_addralign = alignment;
    file.append(bytes.begin(), bytes.end());
    return header;
  };
  auto bytesOf = [](const auto &records) {
    return ArrayRef<char>(reinterpret_cast<const char *>(records.data()), records.size() * sizeof(records[0]));
  };

  append(nameOf(".text"), ELF::SHT_PROGBITS, parts[Text].alignment, parts[Text].bytes).sh_flags =
      ELF::SHF_ALLOC | ELF::SHF_EXECINSTR;
  append(nameOf(".rodata"), ELF::SHT_PROGBITS, parts[Constants].alignment, parts[Constants].bytes).sh_flags =
      ELF::SHF_ALLOC;
  for (const Function &function : functions) {
    ELF::Elf64_Sym &symbol = symbols.emplace_back();
    symbol.st_name = nameOf(function.name);
    symbol.setBindingAndType(ELF::STB_GLOBAL, ELF::STT_FUNC);
    symbol.st_shndx = 1 + function.position.part;
    symbol.st_value = function.position.offset;
    symbol.st_size = function.size;
    result.functions.push_back({function.name, placeOf(function.position), {}});
  }
  ELF::Elf64_Shdr &table = append(nameOf(".symtab"), ELF::SHT_SYMTAB, alignof(ELF::Elf64_Sym), bytesOf(symbols));
  table.sh_entsize = sizeof(ELF::Elf64_Sym);
  table.sh_info = 1;              // the first global symbol
  table.sh_link = headers.size(); // the section of names follows
  uint32_t own = nameOf(".strtab");
  append(own, ELF::SHT_STRTAB, 1, {strings.data(), strings.size()});

  ELF::Elf64_Ehdr header{};
  memcpy(header.e_ident, ELF::ElfMagic, strlen(ELF::ElfMagic));
  header.e_ident[ELF::EI_CLASS] = ELF::ELFCLASS64;
  header.e_ident[ELF::EI_DATA] = ELF::ELFDATA2LSB;
  header.e_ident[ELF::EI_VERSION] = ELF::EV_CURRENT;
  header.e_type = ELF::ET_REL;
  header.e_machine = ELF::EM_X86_64;
  header.e_version = ELF::EV_CURRENT;
  header.e_ehsize = sizeof(header);
  header.e_shentsize = sizeof(ELF::Elf64_Shdr);
  header.e_shnum = headers.size();
  header.e_shstrndx = headers.size() - 1;
  file.resize(alignTo(file.size(), alignof(ELF::Elf64_Shdr)));
  header.e_shoff = file.size();
  ArrayRef<char> sections = bytesOf(headers);
  file.append(sections.begin(), sections.end());
  memcpy(file.data(), &header, sizeof(header));
  return result;
}

Expected<tx::host::LinkedCode> tx::host::linkObjects(ArrayRef<Piece> pieces) {
  Linker linker;
  std::vector<std::unique_ptr<Object>> objects;
  for (const Piece &piece : pieces) {
    auto object = Object::create({StringRef(piece.object.data(), piece.object.size()), "host kernels"});
    if (!object)
      return object.takeError();
    objects.push_back(std::make_unique<Object>(std::move(*object)));
    if (Error error = linker.add(*objects.back(), piece.name))
      return std::move(error);
  }
  if (Error error = linker.relocate())
    return std::move(error);
  return linker.finish();
}
