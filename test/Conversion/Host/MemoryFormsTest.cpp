// All forms in which emitters touch memory, each alone, through the code generator of real kernels: read in the code
// for each kind of CPU, and run against the end of a page at the levels that this machine has. LLVM 22 makes a masked
// store of one narrowed lane too wide for every CPU with AVX-512 (docs/Rationale/cpu-memory.md).

#include "Disassembly.h"
#include "KernelHarness.h"

#include "../../../lib/Conversion/Host/HostEmitter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <sys/mman.h>
#include <unistd.h>

using namespace txtest;
using namespace tx::emit;
using mlir::func::FuncOp;

namespace {

/// The first `count` lanes of a vector at the end of a row, from or to the whole vector in other memory.
struct Form {
  const char *element; // of the row; of the other memory as in registers
  bool isStore;
  unsigned lanes, count;
  bool isKnown; // when the code is written

  unsigned bytes() const { return std::string(element) == "i1" ? 1 : std::string(element) == "bf16" ? 2 : 4; }
  unsigned bytesOfOther() const { return std::string(element) == "bf16" && lanes == 32 ? 2 : 4; }
  std::string name() const {
    return std::string(isStore ? "store_" : "load_") + element + "_" + std::to_string(lanes) + "_" +
           (isKnown ? std::to_string(count) : "any");
  }
};

/// What kernels of rows and columns, tiles and attention do: loadBlock and storeBlock.
std::vector<Form> knownForms() {
  std::vector<Form> forms;
  for (const char *element : {"f32", "i32", "bf16", "i1"})
    for (bool isStore : {false, true})
      for (unsigned count = 1; count <= kSlice; ++count)
        forms.push_back({element, isStore, kSlice, count, true});
  return forms;
}

/// What bf16 products do; 32 lanes are two elements along the depth.
std::vector<Form> laterForms() {
  return {{"bf16", false, 32, 32, false},
          {"bf16", false, 16, 16, false},
          {"bf16", true, 16, 16, false},
          {"f32", false, 16, 16, false},
          {"f32", true, 16, 16, false}};
}

class FormEmitter : public tx::host::HostEmitter {
public:
  using HostEmitter::HostEmitter;

  static void emit(mlir::OpBuilder &module, mlir::Location loc, const Form &form) {
    mlir::OpBuilder builder = module;
    mlir::Type element = builder.getF32Type(), inRow = element;
    if (form.element[0] == 'i')
      element = inRow = builder.getI32Type();
    if (form.bytes() < 4)
      inRow = builder.getIntegerType(8 * form.bytes());
    mlir::Type other = form.bytesOfOther() == 2 ? inRow : element;
    mlir::SmallVector<mlir::Type> types = {mlir::MemRefType::get({form.lanes}, inRow),
                                           mlir::MemRefType::get({form.lanes}, other)};
    if (!form.isKnown)
      types.push_back(builder.getIndexType());
    auto function = FuncOp::create(module, loc, form.name(), builder.getFunctionType(types, {}));
    mlir::Block *entry = function.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    auto end = mlir::func::ReturnOp::create(builder, loc);
    builder.setInsertionPoint(end);
    FormEmitter(builder, loc, entry).emit(form, entry->getArguments());
  }

private:
  Buffer bufferOf(mlir::Value memory, mlir::Type element) {
    return {memory, mlir::RankedTensorType::get({kSlice}, element)};
  }

  void emit(const Form &form, mlir::ValueRange arguments) {
    mlir::Value memory = arguments[0], rest = arguments[1];
    bool isBf16 = std::string(form.element) == "bf16";
    mlir::Type inRow = mlir::cast<mlir::MemRefType>(memory.getType()).getElementType();
    Buffer row = bufferOf(memory, isBf16 ? builder.getBF16Type() : inRow);
    Buffer other = bufferOf(rest, mlir::cast<mlir::MemRefType>(rest.getType()).getElementType());
    Number start = index(0);
    if (!form.isKnown) {
      Number count = wrap(arguments[2]);
      if (form.lanes == 32) {
        storeLanes(loadLanes(memory, start, count, 32), rest, start, 32u);
      } else if (form.isStore) {
        Number value = loadBlock(other, start, {1, kSlice})[0];
        storeLanes(narrow(roundTo(value, row.element()), row).value, memory, start, count);
      } else {
        storeBlock({widen(wrap(loadLanes(memory, start, count, kSlice)), row)}, other, start, {1, kSlice});
      }
      return;
    }
    const Buffer &from = form.isStore ? other : row, &to = form.isStore ? row : other;
    Number value = loadBlock(from, start, {1, form.isStore ? kSlice : form.count})[0];
    value = roundTo(value, to.element());
    if (to.element().isInteger())
      value = convert(value, to.element());
    storeBlock({value}, to, start, {1, form.isStore ? form.count : kSlice});
  }
};

llvm::SmallVector<char, 0> compile(const std::vector<Form> &forms, const std::string &cpu) {
  return compileFunctions(cpu, [&](mlir::OpBuilder &builder, mlir::Location loc) {
    for (const Form &form : forms)
      FormEmitter::emit(builder, loc, form);
  });
}

class OnCpu : public testing::TestWithParam<std::string> {};

/// Accesses that are not of the other memory, of constants or of the stack.
std::vector<Access> accessesOfRow(const std::vector<Instruction> &instructions) {
  std::vector<Access> result;
  for (const Access &access : accessesOf(instructions))
    if (access.base.rfind("rsi", 0) != 0 && access.base != "rip" && access.base != "rsp" && access.base != "rbp")
      result.push_back(access);
  return result;
}

} // namespace

// Each byte of the row's end is read (or written), once, and none behind.
TEST_P(OnCpu, rowsAreTouchedUpToTheirEnd) {
  std::vector<Form> forms = knownForms();
  llvm::SmallVector<char, 0> object = compile(forms, GetParam());
  for (const Form &form : forms) {
    SCOPED_TRACE(form.name());
    std::vector<Instruction> code = disassemble(object, form.name());
    for (const Instruction &instruction : code) { // else the row has other names than rdi
      size_t bracket = instruction.text.find('['), name = instruction.text.find("rdi");
      EXPECT_TRUE(name == std::string::npos || (bracket < name && (instruction.isLoad || instruction.isStore)))
          << instruction.text;
    }
    std::vector<int> touched(form.count * form.bytes());
    for (const Access &access : accessesOfRow(code)) {
      EXPECT_EQ(access.base, "rdi") << access.text;
      EXPECT_TRUE(form.isStore ? access.isStore && !access.isLoad : access.isLoad && !access.isStore) << access.text;
      EXPECT_GE(access.offset, 0) << access.text;
      EXPECT_LE(access.offset + access.bytes, int64_t(touched.size())) << access.text;
      for (int64_t i = std::max<int64_t>(access.offset, 0);
           i < std::min<int64_t>(access.offset + access.bytes, touched.size()); ++i)
        ++touched[i];
    }
    for (int times : touched)
      EXPECT_TRUE(form.isStore ? times == 1 : times >= 1);
  }
}

// A count that is known later: each run once, so whatever they are, it is their sum.
TEST_P(OnCpu, runsAreAsWideAsTheyAreLong) {
  std::vector<Form> forms = laterForms();
  llvm::SmallVector<char, 0> object = compile(forms, GetParam());
  for (const Form &form : forms) {
    SCOPED_TRACE(form.name());
    std::map<int64_t, int64_t> bytesOfRuns, expected;
    for (const Access &access : accessesOfRow(disassemble(object, form.name()))) {
      EXPECT_TRUE(form.isStore ? access.isStore && !access.isLoad : access.isLoad && !access.isStore) << access.text;
      EXPECT_EQ(access.text.find("{k"), std::string::npos) << access.text;
      bytesOfRuns[access.bytes] += access.bytes;
    }
    // A run wider than the CPU's registers is a few of their accesses.
    int64_t widest = GetParam() == "x86-64-v3" ? 32 : 64;
    for (int64_t run = form.lanes; run; run /= 2)
      expected[std::min(run * form.bytes(), widest)] += run * form.bytes();
    EXPECT_EQ(bytesOfRuns, expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, OnCpu, testing::ValuesIn(kCpus), nameOfLevel);

// The reader itself: a store of four bytes at 6, one under a mask, a load of two.
TEST(Disassembly, readsWidths) {
  const uint8_t code[] = {0x89, 0x47, 0x06,                    // mov dword ptr [rdi + 6], eax
                          0x62, 0xf2, 0x7e, 0x49, 0x33, 0x07,  // vpmovdw ymmword ptr [rdi] {k1}, zmm0
                          0x0f, 0xb7, 0x44, 0x46, 0xfe, 0xc3}; // movzx eax, word ptr [rsi + 2*rax - 2]; ret
  std::vector<Access> accesses = accessesOf(disassemble(code));
  ASSERT_EQ(accesses.size(), 3u);
  EXPECT_EQ(std::tie(accesses[0].base, accesses[0].offset, accesses[0].bytes), std::tuple("rdi", 6, 4));
  EXPECT_TRUE(accesses[0].isStore && !accesses[0].isLoad);
  EXPECT_EQ(std::tie(accesses[1].base, accesses[1].offset, accesses[1].bytes), std::tuple("rdi", 0, 32));
  EXPECT_EQ(std::tie(accesses[2].base, accesses[2].offset, accesses[2].bytes), std::tuple("rsi + 2*rax", -2, 2));
  EXPECT_TRUE(accesses[2].isLoad && !accesses[2].isStore);
}

namespace {

/// Memory that ends with a page that nobody may touch.
class PageEnd {
public:
  PageEnd() : size(sysconf(_SC_PAGESIZE)) {
    void *memory = mmap(nullptr, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(memory, MAP_FAILED);
    begin = static_cast<uint8_t *>(memory);
    mprotect(begin + size, size, PROT_NONE);
  }
  ~PageEnd() { munmap(begin, 2 * size); }
  uint8_t *end() { return begin + size; }

private:
  size_t size;
  uint8_t *begin;
};

class Rows : public AtLevel {
protected:
  /// Lane i in the row is the number 1 + i.
  static void put(uint8_t *at, const char *element, unsigned bytes, unsigned lane) {
    float number = 1 + lane;
    int32_t integer = 1 + lane;
    if (element[0] == 'i')
      std::memcpy(at, &integer, bytes);
    else
      std::memcpy(at, reinterpret_cast<const char *>(&number) + 4 - bytes, bytes);
  }

  void run(void *function, const Form &form, unsigned count) {
    SCOPED_TRACE(testing::Message() << form.name() << ", " << count);
    std::vector<uint8_t> expected(count * form.bytes() + kGuardBytes, 0xff);
    alignas(64) uint8_t other[128] = {}, expectedOther[128] = {};
    uint8_t *row = page.end() - count * form.bytes();
    std::memset(row - kGuardBytes, 0xff, expected.size());
    for (unsigned i = 0; i < form.lanes; ++i) {
      put(expectedOther + i * form.bytesOfOther(), form.element, form.bytesOfOther(), i);
      if (i < count)
        put(&expected[kGuardBytes + i * form.bytes()], form.element, form.bytes(), i);
      else if (!form.isStore)
        std::memset(expectedOther + i * form.bytesOfOther(), 0, form.bytesOfOther());
    }
    if (form.isStore)
      std::memcpy(other, expectedOther, sizeof other);
    else
      std::memcpy(row - kGuardBytes, expected.data(), expected.size());
    reinterpret_cast<void (*)(void *, void *, int64_t)>(function)(row, other, count);
    EXPECT_EQ(std::memcmp(row - kGuardBytes, expected.data(), expected.size()), 0);
    EXPECT_EQ(std::memcmp(other, expectedOther, sizeof other), 0);
  }

  PageEnd page;
};

} // namespace

TEST_P(Rows, mayEndWithAPage) {
  std::vector<Form> forms = knownForms(), later = laterForms();
  forms.insert(forms.end(), later.begin(), later.end());
  Code code(::compile(forms, GetParam()));
  for (const Form &form : forms) {
    void *function = code.function(form.name());
    ASSERT_TRUE(function) << form.name();
    for (unsigned count = form.isKnown ? form.count : 1; count <= form.count; ++count)
      run(function, form, count);
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, Rows, testing::ValuesIn(tx::hostLevels()), nameOfLevel);
