//===- Code.h - Decoded PTX -----------------------------------------------------------------------------*- C++ -*-===//
//
// Everything that an instruction names is a slot: 64 bits for each lane of a warp. Registers are slots, and so are
// constants, addresses of variables and special registers; they are filled before a kernel starts.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_GPU_EMULATOR_CODE_H
#define TX_TEST_GPU_EMULATOR_CODE_H

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace ptx {

class Warp;
struct Instruction;

/// What an instruction does for the lanes of a mask.
using Execute = void (*)(Warp &, const Instruction &, uint32_t lanes);

/// How lanes go on, and whom they wait for.
enum class Control : uint8_t {
  Next,
  Branch,
  Exit,
  Members, // the lanes of the mask in the last operand execute it together
  Warp,    // all 32 lanes do
  Barrier, // the block's threads meet
};

/// How halves of 64 bits go through an instruction. LLVM fills one with a register that nobody wrote where it needs the
/// other alone: that is an error only for who uses the half.
enum class Halves : uint8_t {
  Together,
  Joined, // two registers become a pair
  Split,  // and a pair two registers
  Apart,  // each half is of the halves on its side
};

constexpr uint32_t kSink = 0; // the slot of `_`, and of results that nobody asked for
constexpr unsigned kMaxOperands = 16;

struct Address {
  uint32_t base = kSink;
  uint64_t mask = ~uint64_t(0); // the base register's bits
  int64_t offset = 0;
};

struct Instruction {
  Execute execute = nullptr;
  Control control = Control::Next;
  bool isGuarded = false, guardNegated = false;
  uint8_t count = 0;   // of the slots in use
  uint8_t results = 0; // the first of them; the others are read
  uint8_t addressCount = 0;
  Halves halves = Halves::Together;
  uint8_t vector = 1;  // elements of a load or store
  uint8_t variant = 0; // what else its `execute` must know
  uint32_t guard = kSink;
  std::array<uint32_t, kMaxOperands> slots = {};
  std::array<Address, 2> addresses;
  uint32_t target = 0; // of a branch
  uint32_t line = 0;   // in the text
};

enum class Special : uint8_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpId
};

struct Kernel {
  std::string name;
  std::vector<Instruction> code;
  std::vector<std::string> texts; // of each instruction
  uint32_t slots = 1;
  std::vector<std::pair<uint32_t, uint64_t>> constants;
  std::vector<std::pair<uint32_t, Special>> specials;
  std::vector<unsigned> parameterSizes, parameterOffsets;
  unsigned parameterBytes = 0;
  unsigned sharedBytes = 0; // static; dynamic shared memory follows
  unsigned maxThreads = 0;  // 0: not said
};

/// What a mnemonic means.
struct Operation {
  Execute execute = nullptr;
  uint8_t results = 1, sources = 2;
  Control control = Control::Next;
  uint8_t variant = 0;
  Halves halves = Halves::Together;
};
using Table = std::unordered_map<std::string, Operation>;

void addIntegers(Table &table);
void addFloats(Table &table);
void addConversions(Table &table);
void addCollectives(Table &table);
void addMatrices(Table &table);

/// Loads, stores and copies: too many modifiers for a table. Sets `execute`, `results` and `variant` if the mnemonic is
/// one of them; `why` says what is wrong with it.
bool decodeAccess(const std::string &mnemonic, Instruction &instruction, std::string &why);

/// Shared memory begins here, so that a null address is one.
constexpr uint64_t kSharedBase = 1024;
/// Where generic addresses of shared memory begin.
constexpr uint64_t kSharedWindow = uint64_t(1) << 60;

} // namespace ptx

#endif // TX_TEST_GPU_EMULATOR_CODE_H
