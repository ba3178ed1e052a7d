//===- Disassembly.h - What machine code does to memory -------------------------------------------------*- C++ -*-===//
//
//   for (const Access &access : accessesOf(object, "store_bf16_1"))
//     EXPECT_LE(access.offset + access.bytes, 2) << access.text;
//
// Code for CPUs that cannot run here is read instead.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_CONVERSION_HOST_DISASSEMBLY_H
#define TX_TEST_CONVERSION_HOST_DISASSEMBLY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace txtest {

struct Instruction {
  std::string text; // in Intel's syntax, which says how wide an access is
  bool isLoad, isStore;
};

struct Access {
  std::string base; // "rdi"; with its index and scale, if it has one: "rdi + 2*rax"
  int64_t offset;
  int64_t bytes; // under a mask too
  bool isLoad, isStore;
  std::string text;
};

std::vector<Instruction> disassemble(llvm::ArrayRef<uint8_t> code);
/// A function of an object, up to its last instruction.
std::vector<Instruction> disassemble(llvm::ArrayRef<char> object, llvm::StringRef function);
/// The accesses among them, of constants and of the stack too.
std::vector<Access> accessesOf(const std::vector<Instruction> &instructions);

} // namespace txtest

#endif // TX_TEST_CONVERSION_HOST_DISASSEMBLY_H
