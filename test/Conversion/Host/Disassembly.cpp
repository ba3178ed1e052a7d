#include "Disassembly.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/MCDisassembler/MCDisassembler.h"
#include "llvm/MC/MCInst.h"
#include "llvm/MC/MCInstPrinter.h"
#include "llvm/MC/MCInstrInfo.h"
#include "llvm/MC/MCRegisterInfo.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/MCTargetOptions.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/TargetSelect.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace llvm;
using namespace txtest;

std::vector<txtest::Instruction> txtest::disassemble(ArrayRef<uint8_t> code) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86Disassembler();
  Triple triple("x86_64-unknown-linux-gnu");
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  std::unique_ptr<MCRegisterInfo> registers(target->createMCRegInfo(triple));
  std::unique_ptr<MCAsmInfo> assembler(target->createMCAsmInfo(*registers, triple, MCTargetOptions()));
  std::unique_ptr<MCInstrInfo> instructions(target->createMCInstrInfo());
  std::unique_ptr<MCSubtargetInfo> everything(target->createMCSubtargetInfo(triple, "graniterapids", ""));
  MCContext context(triple, assembler.get(), registers.get(), everything.get());
  std::unique_ptr<MCDisassembler> disassembler(target->createMCDisassembler(*everything, context));
  std::unique_ptr<MCInstPrinter> intel(target->createMCInstPrinter(triple, 1, *assembler, *instructions, *registers));

  std::vector<txtest::Instruction> result;
  for (uint64_t at = 0, size = 0; at < code.size(); at += size) {
    MCInst instruction;
    if (disassembler->getInstruction(instruction, size, code.drop_front(at), at, nulls()) != MCDisassembler::Success) {
      ADD_FAILURE() << "no instruction at " << at << ": " << toHex(code.drop_front(at).take_front(16));
      return result;
    }
    std::string text;
    raw_string_ostream stream(text);
    intel->printInst(&instruction, at, "", *everything, stream);
    std::replace(text.begin(), text.end(), '\t', ' ');
    const MCInstrDesc &description = instructions->get(instruction.getOpcode());
    result.push_back({StringRef(text).trim().str(), description.mayLoad(), description.mayStore()});
  }
  return result;
}

std::vector<txtest::Instruction> txtest::disassemble(ArrayRef<char> object, StringRef function) {
  auto file = cantFail(object::ELF64LEObjectFile::create({StringRef(object.data(), object.size()), "object"}));
  for (const object::ELFSymbolRef &symbol : file.symbols()) {
    if (cantFail(symbol.getName()) != function)
      continue;
    StringRef section = cantFail((*cantFail(symbol.getSection())).getContents());
    StringRef code = section.substr(cantFail(symbol.getValue()), symbol.getSize());
    return disassemble(ArrayRef(code.bytes_begin(), code.size()));
  }
  ADD_FAILURE() << "no function " << function.str();
  return {};
}

/// "dword ptr [rdi + 2*rax + 8]{1to16}": 4 bytes of base "rdi + 2*rax" at 8.
std::vector<Access> txtest::accessesOf(const std::vector<txtest::Instruction> &instructions) {
  std::vector<Access> result;
  for (const txtest::Instruction &instruction : instructions) {
    auto [before, behind] = StringRef(instruction.text).split(" ptr [");
    if (behind.empty())
      continue;
    int64_t bytes = StringSwitch<int64_t>(before.take_back(before.size() - before.find_last_of(" {") - 1))
                        .Case("byte", 1)
                        .Case("word", 2)
                        .Case("dword", 4)
                        .Case("qword", 8)
                        .Case("xmmword", 16)
                        .Case("ymmword", 32)
                        .Case("zmmword", 64)
                        .Default(0);
    EXPECT_NE(bytes, 0) << instruction.text;
    StringRef address = behind.split(']').first;
    int64_t offset = 0;
    size_t sign = address.find_last_of("+-");
    if (sign != StringRef::npos && !address.drop_front(sign + 1).trim().getAsInteger(0, offset)) {
      offset = address[sign] == '-' ? -offset : offset;
      address = address.take_front(sign).rtrim();
    }
    result.push_back({address.str(), offset, bytes, instruction.isLoad, instruction.isStore, instruction.text});
  }
  return result;
}
