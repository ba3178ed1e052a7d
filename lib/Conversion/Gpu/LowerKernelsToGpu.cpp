//===- LowerKernelsToGpu.cpp - step.kernel to gpu.func ------------------------------------------------------------===//

#include "../Common/OpTable.h"
#include "BlockEmitter.h"
#include "Kernels.h"
#include "Tiles.h"

#include "tx/Conversion/Gpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringExtras.h"

#include <numeric>

namespace tx {
#define GEN_PASS_DEF_LOWERKERNELSTOGPU
#include "tx/Conversion/Gpu/Passes.h.inc"
} // namespace tx

using namespace mlir;
using namespace tx;
using namespace tx::emit;
using namespace tx::simt;

/// The memref type, flat, that holds all rows of a tensor; null for an element type that GPU kernels do not have.
static MemRefType memoryOf(RankedTensorType tensor, int64_t stride) {
  Type element = tensor.getElementType();
  if (element.isInteger(1)) // stored as a byte
    element = IntegerType::get(tensor.getContext(), 8);
  else if (!element.isF32() && !element.isBF16() && !element.isInteger(32))
    return {};
  int64_t rows = getRows(tensor), columns = getColumns(tensor);
  return MemRefType::get({rows == 0 ? 0 : (rows - 1) * (stride ? stride : columns) + columns}, element);
}

namespace {

/// For each buffer of a kernel, a number of bytes that its address is a multiple of in all launches of the kernel.
using Alignments = SmallVector<int64_t>;

/// How a kernel is launched.
struct Launch {
  int64_t threads = 0, units = 0, unitsPerBlock = 1, sharedBytes = 0;
  int32_t blocks = 0; // least number of blocks that share a multiprocessor; 0: not given
};

class Lowering {
public:
  Lowering(step::ProgramOp program, const GpuArchitecture &architecture, gpu::GPUModuleOp module)
      : architecture(architecture), builder(module.getBodyRegion()) {
    program.walk([&](step::LaunchOp launch) {
      Alignments &known = alignments[launch.getKernel()];
      SmallVector<step::BufferAttr> buffers = launch.getKernelBuffers();
      known.resize(buffers.size(), 0);
      for (auto [alignment, buffer] : llvm::zip(known, buffers))
        alignment = std::gcd(alignment, buffer.getOffset());
    });
  }

  LogicalResult lower(step::KernelOp op);

private:
  FailureOr<SmallVector<Type>> argumentTypes(step::KernelOp kernel);
  KernelShape describe(step::KernelOp kernel);
  LogicalResult describeProgram(step::KernelOp op, gpu::GPUFuncOp function, KernelShape &shape);
  Kernel kernelOf(step::KernelOp op, gpu::GPUFuncOp function, Emitter &emitter);
  FailureOr<Launch> emitThreads(step::KernelOp op, gpu::GPUFuncOp function);
  FailureOr<Launch> emitBlocks(step::KernelOp op, gpu::GPUFuncOp function);
  bool addRows(RowProgram &program);
  void addColumns(Kernel &kernel, ColumnUnit &unit);

  const GpuArchitecture &architecture;
  OpBuilder builder;
  OpTable table;
  TileTable tiles;
  llvm::StringMap<Alignments> alignments;
};

} // namespace

FailureOr<SmallVector<Type>> Lowering::argumentTypes(step::KernelOp kernel) {
  SmallVector<Type> types;
  for (auto [tensor, stride] : llvm::zip(kernel.getBufferTypes(), kernel.getRowStrides())) {
    MemRefType memory = memoryOf(cast<RankedTensorType>(tensor), stride);
    if (!memory)
      return kernel.emitOpError("has a buffer of ") << tensor << "; GPU kernels compute on f32, bf16, i32 and i1";
    types.push_back(memory);
  }
  types.append(kernel.getImmediates(), builder.getI32Type());
  types.push_back(builder.getIndexType());
  return types;
}

KernelShape Lowering::describe(step::KernelOp kernel) {
  KernelShape shape;
  shape.rows = kernel.getSpace()[0];
  shape.columns = kernel.getSpace()[1];
  int64_t most = 0;
  for (Type type : kernel.getBody().getArgumentTypes())
    most = std::max(most, cast<RankedTensorType>(type).getNumElements());
  shape.rowOperands =
      std::max<unsigned>(1, llvm::count_if(kernel.getBody().getArgumentTypes(), [&](Type type) {
                           return kernel.getKind() == KernelKind::Flat
                                      ? cast<RankedTensorType>(type).getNumElements() == most
                                      : getRows(type) == shape.rows && getColumns(type) == shape.columns;
                         }));
  ArrayRef<int64_t> known = alignments[kernel.getSymName()];
  for (auto [i, type] : llvm::enumerate(kernel.getBufferTypes())) {
    auto tensor = cast<RankedTensorType>(type);
    int64_t elements = tensor.getNumElements();
    // A tensor that has one value for each row, or for all rows, is not read by vectors. Among the tensors that are,
    // the last of several rows may be shorter than the others.
    bool isWhole = getColumns(tensor) == shape.columns || elements % shape.columns == 0;
    bool hasShortRow = shape.rows > 1 && elements > (shape.rows - 1) * shape.columns;
    if (!isWhole && !hasShortRow)
      continue;
    unsigned bytes = tensor.getElementTypeBitWidth() / 8;
    if (bytes < 2)
      continue;
    shape.elementBytes = std::min(shape.elementBytes, bytes);
    int64_t stride = kernel.getRowStrides()[i];
    int64_t address = i < known.size() ? known[i] / bytes : 0;
    for (int64_t multiple : {stride, address, kernel.getKind() == KernelKind::Flat ? elements : 0})
      shape.alignedColumns = std::gcd<int64_t>(shape.alignedColumns, multiple);
  }
  return shape;
}

/// Builds the row program: each op of the kernel adds what it computes.
bool Lowering::addRows(RowProgram &program) {
  Kernel &kernel = program.kernel;
  for (Operation &op : kernel.op.getBody().front().without_terminator()) {
    const auto *lower = table.rows.find(&op);
    if (!lower) {
      kernel.refuse(&op, "has no GPU code as part of a kernel of rows");
      return false;
    }
    program.beginOp(&op);
    (*lower)(&op, program);
    if (kernel.isRefused())
      return false;
    program.endOp(&op);
  }
  program.finish();
  return !kernel.isRefused();
}

void Lowering::addColumns(Kernel &kernel, ColumnUnit &unit) {
  for (Operation &op : kernel.op.getBody().front().without_terminator()) {
    const auto *lower = table.columns.find(&op);
    if (!lower)
      return kernel.refuse(&op, "has no GPU code as part of a kernel of columns");
    (*lower)(&op, unit);
    if (kernel.isRefused())
      return;
  }
}

Kernel Lowering::kernelOf(step::KernelOp op, gpu::GPUFuncOp function, Emitter &emitter) {
  mlir::Block &entry = function.getBody().front();
  size_t buffers = op.getRowStrides().size();
  return Kernel(op, emitter, entry.getArguments().take_front(buffers), [&entry, &emitter, buffers](unsigned index) {
    return emitter.wrap(entry.getArgument(buffers + index));
  });
}

/// Fills in the fields of `shape` that depend on a row program. The ops build their program twice: this first time,
/// with one lane, before the schedule has decided how many lanes the real emitter has.
LogicalResult Lowering::describeProgram(step::KernelOp op, gpu::GPUFuncOp function, KernelShape &shape) {
  ThreadEmitter emitter(builder, function, /*lanes=*/1);
  Kernel kernel = kernelOf(op, function, emitter);
  RowProgram program(kernel);
  if (!addRows(program))
    return failure();
  describeRows(program, shape);
  return success();
}

/// Emits a kernel of rows, chunks or columns, whose threads seldom exchange values.
FailureOr<Launch> Lowering::emitThreads(step::KernelOp op, gpu::GPUFuncOp function) {
  KernelShape shape = describe(op);
  if (op.getKind() != KernelKind::Column && failed(describeProgram(op, function, shape)))
    return failure();
  ThreadEmitter emitter(builder, function, chooseLanes(shape));
  Kernel kernel = kernelOf(op, function, emitter);
  KernelSchedule schedule;
  if (isTableKernel(op)) {
    shape.rows = getRows(op.getBody().front().back().getOperand(0).getType());
    schedule = scheduleTable(shape, architecture);
    emitTable(kernel, schedule, emitter);
  } else if (op.getKind() == KernelKind::Column) {
    schedule = scheduleColumns(shape, architecture);
    emitColumns(kernel, schedule, emitter, [&](ColumnUnit &unit) { addColumns(kernel, unit); });
  } else {
    RowProgram program(kernel);
    if (!addRows(program))
      return failure();
    schedule = scheduleRows(shape, architecture);
    emitRows(program, schedule, emitter, emitter.wrap(function.getBody().front().getArguments().back()));
  }
  if (kernel.isRefused())
    return failure();
  return Launch{schedule.threads, schedule.units, schedule.unitsPerBlock, /*sharedBytes=*/0,
                static_cast<int32_t>(schedule.blocks)};
}

/// Emits a kernel of tiles, whose threads work together on tiles in shared memory.
FailureOr<Launch> Lowering::emitBlocks(step::KernelOp op, gpu::GPUFuncOp function) {
  BlockEmitter emitter(builder, function, kAccessBytes / 2); // bf16
  Kernel kernel = kernelOf(op, function, emitter);
  TileTask task{kernel, emitter, alignments[op.getSymName()]};
  Operation *tile = &op.getBody().front().front();
  if (const auto *lower = tiles.find(tile))
    (*lower)(tile, task);
  else
    kernel.refuse(tile, "has no GPU code as a kernel of tiles");
  if (kernel.isRefused())
    return failure();
  return Launch{task.threads, task.units, 1, emitter.getSharedBytes(), static_cast<int32_t>(task.blocks)};
}

LogicalResult Lowering::lower(step::KernelOp op) {
  FailureOr<SmallVector<Type>> types = argumentTypes(op);
  if (failed(types))
    return failure();
  OpBuilder::InsertionGuard guard(builder);
  auto function = gpu::GPUFuncOp::create(builder, op.getLoc(), op.getSymName(), builder.getFunctionType(*types, {}));
  function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), builder.getUnitAttr());
  mlir::Block *entry = &function.getBody().front();
  builder.setInsertionPointToStart(entry);
  Operation *end = gpu::ReturnOp::create(builder, op.getLoc());
  builder.setInsertionPoint(end);

  FailureOr<Launch> launch = op.getKind() == KernelKind::Tile ? emitBlocks(op, function) : emitThreads(op, function);
  if (failed(launch))
    return failure();
  function.setKnownBlockSize(ArrayRef<int32_t>{static_cast<int32_t>(launch->threads), 1, 1});
  function->setAttr(kGpuUnits, builder.getI64IntegerAttr(launch->units));
  function->setAttr(kGpuUnitsPerBlock, builder.getI64IntegerAttr(launch->unitsPerBlock));
  if (launch->blocks)
    function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(), builder.getI32IntegerAttr(launch->blocks));
  if (launch->sharedBytes)
    function->setAttr(kGpuSharedBytes, builder.getI64IntegerAttr(launch->sharedBytes));
  for (Operation &unused : llvm::make_early_inc_range(llvm::reverse(*entry)))
    if (isOpTriviallyDead(&unused))
      unused.erase();
  return success();
}

SmallVector<StringRef> tx::getGpuArchitectures() {
  return llvm::map_to_vector(getArchitectures(), [](const GpuArchitecture &known) { return StringRef(known.name); });
}

FailureOr<gpu::GPUModuleOp> tx::lowerKernelsToGpu(step::ProgramOp program, StringRef name) {
  const GpuArchitecture *architecture = findArchitecture(name);
  if (!architecture)
    return program.emitOpError("cannot be compiled for the GPU architecture '")
           << name << "'; known: " << llvm::join(getGpuArchitectures(), ", ");
  OpBuilder builder(program.getContext());
  auto module = gpu::GPUModuleOp::create(builder, program.getLoc(), "gpu_kernels");
  Lowering lowering(program, *architecture, module);
  LogicalResult result = success();
  for (auto kernel : program.getBody().getOps<step::KernelOp>())
    if (failed(lowering.lower(kernel)))
      result = failure(); // go on, so that all kernels are diagnosed
  if (succeeded(result))
    return module;
  module->erase();
  return failure();
}

void tx::registerGpuKernelDialects(DialectRegistry &registry) {
  registry.insert<gpu::GPUDialect, arith::ArithDialect, math::MathDialect, memref::MemRefDialect, scf::SCFDialect,
                  vector::VectorDialect, LLVM::LLVMDialect, NVVM::NVVMDialect>();
}

namespace {
struct LowerKernelsToGpu : tx::impl::LowerKernelsToGpuBase<LowerKernelsToGpu> {
  using LowerKernelsToGpuBase::LowerKernelsToGpuBase;

  void runOnOperation() override {
    FailureOr<gpu::GPUModuleOp> module = lowerKernelsToGpu(getOperation(), arch);
    if (failed(module))
      return signalPassFailure();
    getOperation().getBody().front().push_back(*module);
  }
};
} // namespace
