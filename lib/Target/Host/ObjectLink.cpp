//===- ObjectLink.cpp - An object becomes code at any place -------------------------------------------------------===//

#include "ObjectLink.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Endian.h"

using namespace llvm;

namespace {

class Linker {
public:
  Linker(object::ELF64LEObjectFile &object, MutableArrayRef<char> bytes) : object(object), bytes(bytes) {}

  Expected<std::vector<tx::TargetCode::Function>> link() {
    for (const object::ELFSymbolRef &symbol : object.symbols())
      if (symbol.getRawDataRefImpl().d.b != 0) // entry 0 is empty
        if (Error error = readSymbol(symbol))
          return std::move(error);
    for (const object::SectionRef &section : object.sections())
      if (Error error = linkSection(section))
        return std::move(error);
    return std::move(functions);
  }

private:
  static Error refuse(const Twine &why) { return createStringError("generated code " + why); }

  const auto *headerOf(const object::SectionRef &section) { return object.getSection(section.getRawDataRefImpl()); }
  bool isLoaded(const object::SectionRef &section) { return headerOf(section)->sh_flags & ELF::SHF_ALLOC; }

  Error readSymbol(const object::ELFSymbolRef &symbol) {
    Expected<uint32_t> flags = symbol.getFlags();
    Expected<StringRef> name = symbol.getName();
    if (!flags || !name)
      return joinErrors(flags.takeError(), name.takeError());
    if (*flags & object::SymbolRef::SF_Undefined)
      return refuse("needs the function '" + *name + "', and kernels stand alone");
    if (symbol.getELFType() != ELF::STT_FUNC || !(*flags & object::SymbolRef::SF_Global))
      return Error::success();
    Expected<uint64_t> place = placeOf(symbol);
    if (!place)
      return place.takeError();
    functions.push_back({name->str(), *place, {}});
    return Error::success();
  }

  /// Where a symbol lies in the file.
  Expected<uint64_t> placeOf(const object::ELFSymbolRef &symbol) {
    Expected<object::section_iterator> section = symbol.getSection();
    Expected<uint64_t> value = symbol.getValue();
    if (!section || !value)
      return joinErrors(section.takeError(), value.takeError());
    if (*section == object.section_end() || !isLoaded(**section) || (*section)->isBSS())
      return refuse("has a symbol without a place in the code");
    return headerOf(**section)->sh_offset + *value;
  }

  Error linkSection(const object::SectionRef &ref) {
    const auto *section = headerOf(ref);
    Expected<StringRef> name = ref.getName();
    if (!name)
      return name.takeError();
    bool isWritable = section->sh_flags & (ELF::SHF_WRITE | ELF::SHF_TLS); // constructors' lists, too
    if (isLoaded(ref) && section->sh_type != ELF::SHT_X86_64_UNWIND && section->sh_size && isWritable)
      return refuse("has writable data in section " + *name);
    if (isLoaded(ref) && section->sh_addralign > 1 && section->sh_offset % section->sh_addralign)
      return refuse("has section " + *name + " at a place that is not aligned for it");
    // Relocations of debug sections are never applied.
    Expected<object::section_iterator> target = ref.getRelocatedSection();
    if (!target)
      return target.takeError();
    if (*target == object.section_end() || !isLoaded(**target))
      return Error::success();
    for (const object::RelocationRef &relocation : ref.relocations())
      if (Error error = apply(relocation, *headerOf(**target), *name))
        return error;
    return Error::success();
  }

  template <typename Header>
  Error apply(const object::ELFRelocationRef &relocation, const Header &section, StringRef name) {
    // Every symbol is defined here, so a call needs no table.
    if (relocation.getType() != ELF::R_X86_64_PC32 && relocation.getType() != ELF::R_X86_64_PLT32) {
      SmallString<32> type;
      relocation.getTypeName(type);
      return refuse("has a relocation " + type + " in section " + name);
    }
    Expected<uint64_t> target = placeOf(object::ELFSymbolRef(*relocation.getSymbol()));
    Expected<int64_t> addend = relocation.getAddend();
    if (!target || !addend)
      return joinErrors(target.takeError(), addend.takeError());
    uint64_t place = section.sh_offset + relocation.getOffset();
    int64_t distance = static_cast<int64_t>(*target - place) + *addend;
    if (!isInt<32>(distance))
      return refuse("is larger than a relocation reaches");
    support::endian::write32le(bytes.data() + place, static_cast<uint32_t>(distance));
    return Error::success();
  }

  object::ELF64LEObjectFile &object;
  MutableArrayRef<char> bytes;
  std::vector<tx::TargetCode::Function> functions;
};

} // namespace

Expected<std::vector<tx::TargetCode::Function>> tx::host::linkObject(MutableArrayRef<char> bytes) {
  auto object = object::ELF64LEObjectFile::create({StringRef(bytes.data(), bytes.size()), "host kernels"});
  if (!object)
    return object.takeError();
  return Linker(*object, bytes).link();
}
