//===- CodeUnit.cpp - Code with what every launch is held to ------------------------------------------------------===//

#include "CodeUnit.h"
#include "Manifest.h"

#include "tx/Dialect/Step/IR/StepOps.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SHA256.h"

using namespace mlir;
using namespace tx;

/// Divides a kernel into tasks of about 16 thousand elements: long against the cost of handing out a task (about a
/// microsecond), short against a launch.
static TargetCode::Division divide(step::KernelOp kernel) {
  constexpr int64_t kTaskElements = 16384;
  int64_t unitElements = kernel.getSpace()[1];
  if (kernel.getKind() == KernelKind::Column)
    unitElements = kernel.getSpace()[0] * step::KernelOp::kColumnBlock;
  return {static_cast<uint64_t>(kernel.getUnits()),
          static_cast<uint64_t>(std::max<int64_t>(1, kTaskElements / unitElements))};
}

TargetCode::Division tx::divisionOf(const TargetCode &code, step::KernelOp kernel, size_t index) {
  return code.divisions.empty() ? divide(kernel) : code.divisions[index];
}

namespace {

class Unit {
public:
  Unit(step::ProgramOp program, const TargetCode &code) : code(code) {
    llvm::StringMap<std::pair<size_t, step::KernelOp>> kernels;
    for (auto [index, kernel] : llvm::enumerate(program.getOps<step::KernelOp>()))
      kernels[kernel.getSymName()] = {index, kernel};
    for (const TargetCode::Function &function : code.functions) {
      txrt_function record{};
      record.name = names.size();
      names += function.name;
      names += '\0';
      record.entry = function.entry;
      record.gpu = function.gpu;
      record.first_operand = operands.size();
      if (auto found = kernels.find(function.name); found != kernels.end())
        describe(record, found->second.second, found->second.first);
      functions.push_back(record);
    }
  }

  llvm::SmallVector<char, 0> bytes() const {
    llvm::SmallVector<char, 0> unit(code.code);
    unit.resize(llvm::alignTo(unit.size(), TXRT_SECTION_ALIGNMENT));
    txrt_code_end end{};
    end.code_bytes = unit.size();
    end.function_count = functions.size();
    end.operand_count = operands.size();
    end.image_count = code.images.size();
    end.name_bytes = names.size();
    memcpy(end.magic, TXRT_CODE_MAGIC, sizeof(end.magic));
    auto append = [&](const void *data, size_t size) {
      auto *begin = static_cast<const char *>(data);
      unit.append(begin, begin + size);
    };
    append(functions.data(), functions.size() * sizeof(txrt_function));
    append(operands.data(), operands.size() * sizeof(txrt_operand));
    append(code.images.data(), code.images.size() * sizeof(txrt_gpu_image));
    append(names.data(), names.size());
    append(&end, sizeof(end));
    auto digest = llvm::SHA256::hash(ArrayRef<uint8_t>(reinterpret_cast<uint8_t *>(unit.data()), unit.size()));
    memcpy(unit.end() - sizeof(end) + offsetof(txrt_code_end, digest), digest.data(), sizeof(end.digest));
    return unit;
  }

private:
  void describe(txrt_function &record, step::KernelOp kernel, size_t index) {
    mlir::Block &body = kernel.getBody().front();
    size_t inputs = kernel.getInputCount();
    SmallVector<Type> tensors(body.getArgumentTypes());
    llvm::append_range(tensors, body.back().getOperandTypes());
    for (auto [place, tensor, stride] : llvm::enumerate(tensors, kernel.getRowStrides())) {
      auto type = cast<RankedTensorType>(tensor);
      auto buffer = step::BufferAttr::get(type.getContext(), step::ArenaSegment::Transient, 0, type, stride);
      bool isInput = place < inputs;
      operands.push_back({static_cast<uint32_t>(getDtype(type.getElementType())), !isInput,
                          isInput && !kernel.readsInput(place), static_cast<uint64_t>(buffer.getExtent())});
    }
    record.operand_count = operands.size() - record.first_operand;
    record.immediate_count = kernel.getImmediates();
    record.units = divisionOf(code, kernel, index).units;
  }

  const TargetCode &code;
  std::vector<txrt_function> functions;
  std::vector<txrt_operand> operands;
  std::string names;
};

} // namespace

llvm::SmallVector<char, 0> tx::buildCodeUnit(step::ProgramOp program, const TargetCode &code) {
  return Unit(program, code).bytes();
}
