//===- ObjectCheck.cpp - Whether an object can be loaded anywhere ---------===//

#include "ObjectCheck.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"

using namespace llvm;

static Error refuse(const Twine &why) { return createStringError("generated code " + why); }

static Error checkSection(const object::ELF64LEObjectFile &object, const object::SectionRef &ref) {
  const auto *section = object.getSection(ref.getRawDataRefImpl());
  Expected<StringRef> name = ref.getName();
  if (!name)
    return name.takeError();
  bool isWritable = section->sh_flags & (ELF::SHF_WRITE | ELF::SHF_TLS); // constructors' lists, too
  if ((section->sh_flags & ELF::SHF_ALLOC) && section->sh_type != ELF::SHT_X86_64_UNWIND && section->sh_size && isWritable)
    return refuse("has writable data in section " + *name);
  // Relocations of debug sections are never applied.
  Expected<object::section_iterator> target = ref.getRelocatedSection();
  if (!target)
    return target.takeError();
  if (*target == object.section_end() || !(object.getSection((*target)->getRawDataRefImpl())->sh_flags & ELF::SHF_ALLOC))
    return Error::success();
  for (const object::RelocationRef &relocation : ref.relocations())
    if (relocation.getType() != ELF::R_X86_64_PC32 && relocation.getType() != ELF::R_X86_64_PLT32) {
      SmallString<32> type;
      relocation.getTypeName(type);
      return refuse("has a relocation " + type + " in section " + *name);
    }
  return Error::success();
}

Error tx::host::checkObject(MemoryBufferRef buffer) {
  auto object = object::ELF64LEObjectFile::create(buffer);
  if (!object)
    return object.takeError();
  for (const object::ELFSymbolRef &symbol : object->symbols())
    if (symbol.getRawDataRefImpl().d.b != 0) { // entry 0 is empty
      Expected<uint32_t> flags = symbol.getFlags();
      Expected<StringRef> name = symbol.getName();
      if (!flags || !name)
        return joinErrors(flags.takeError(), name.takeError());
      if (*flags & object::SymbolRef::SF_Undefined)
        return refuse("needs the function '" + *name + "', and kernels stand alone");
    }
  for (const object::SectionRef &section : object->sections())
    if (Error error = checkSection(*object, section))
      return error;
  return Error::success();
}
