//===- LowerKernelsToVector.cpp - step.kernel to func.func --------------------------------------------------------===//

#include "../Common/OpTable.h"
#include "Tiles.h"

#include "tx/Conversion/Passes.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace tx {
#define GEN_PASS_DEF_LOWERKERNELSTOVECTOR
#include "tx/Conversion/Passes.h.inc"
} // namespace tx

using namespace mlir;
using namespace tx;
using namespace tx::emit;
using tx::host::Task;

/// The memref type, flat, that holds all rows of a tensor; null for an element type that host kernels do not have.
static MemRefType memoryOf(RankedTensorType tensor, int64_t stride) {
  MLIRContext *context = tensor.getContext();
  Type element = tensor.getElementType();
  if (element.isBF16()) // handled as integers, see Emitter::widen
    element = IntegerType::get(context, 16);
  else if (element.isInteger(1)) // stored as a byte
    element = IntegerType::get(context, 8);
  else if (!element.isF32() && !element.isInteger(32))
    return {};
  int64_t rows = getRows(tensor), columns = getColumns(tensor);
  return MemRefType::get({rows == 0 ? 0 : (rows - 1) * (stride ? stride : columns) + columns}, element);
}

static FailureOr<FunctionType> functionOf(step::KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  mlir::Block &body = kernel.getBody().front();
  SmallVector<Type> tensors(body.getArgumentTypes()), types;
  llvm::append_range(tensors, body.back().getOperandTypes());
  for (auto [tensor, stride] : llvm::zip(tensors, kernel.getRowStrides())) {
    MemRefType memory = memoryOf(cast<RankedTensorType>(tensor), stride);
    if (!memory)
      return kernel.emitOpError("has a buffer of ") << tensor << "; the host computes on f32, bf16, i32 and i1";
    types.push_back(memory);
  }
  if (kernel.getImmediates())
    types.push_back(MemRefType::get({static_cast<int64_t>(kernel.getImmediates())}, IntegerType::get(context, 32)));
  types.append(2, IndexType::get(context));
  return FunctionType::get(context, types, {});
}

static void lowerRows(const Task &task, const OpTable &table) {
  Kernel &kernel = task.kernel;
  RowProgram program(kernel);
  for (Operation &op : kernel.op.getBody().front().without_terminator()) {
    const auto *lower = table.rows.find(&op);
    if (!lower)
      return kernel.refuse(&op, "has no host code as part of a kernel of rows");
    program.beginOp(&op);
    (*lower)(&op, program);
    if (kernel.isRefused())
      return;
    program.endOp(&op);
  }
  program.finish();
  if (program.rowsOfPart)
    kernel.refuse(kernel.op, "sums rows in parts, as GPU kernels do; host kernels of columns sum them whole");
  if (!kernel.isRefused())
    host::emitRows(task, program);
}

static void lowerColumns(const Task &task, const OpTable &table) {
  Kernel &kernel = task.kernel;
  host::emitColumns(task, [&](ColumnUnit &unit) {
    for (Operation &op : kernel.op.getBody().front().without_terminator()) {
      const auto *lower = table.columns.find(&op);
      if (!lower)
        return kernel.refuse(&op, "has no host code as part of a kernel of columns");
      (*lower)(&op, unit);
      if (kernel.isRefused())
        return;
    }
  });
}

/// A kernel of tiles has one op, which loops over them.
static void lowerTiles(const Task &task, host::TileEmitter &emitter, const host::TileTable &table) {
  Operation *op = &task.kernel.op.getBody().front().front();
  if (const auto *lower = table.find(op))
    (*lower)(op, task, emitter);
  else
    task.kernel.refuse(op, "has no host code as a kernel of tiles");
}

namespace {
/// How ops are lowered on the host.
struct HostTables {
  OpTable ops;
  host::TileTable tiles;
};
} // namespace

static LogicalResult lowerKernel(step::KernelOp op, OpBuilder &builder, const HostTables &tables) {
  FailureOr<FunctionType> type = functionOf(op);
  if (failed(type))
    return failure();
  auto function = func::FuncOp::create(builder, op.getLoc(), op.getSymName(), *type);
  OpBuilder::InsertionGuard guard(builder);
  mlir::Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  Operation *end = func::ReturnOp::create(builder, op.getLoc());
  builder.setInsertionPoint(end);
  host::TileEmitter emitter(builder, op.getLoc(), entry);
  ValueRange arguments = entry->getArguments();
  size_t buffers = op.getRowStrides().size();
  Buffer immediates;
  if (op.getImmediates())
    immediates.memref = arguments[buffers];
  immediates.type = RankedTensorType::get({static_cast<int64_t>(op.getImmediates())}, emitter.i32());
  Kernel kernel(op, emitter, arguments.take_front(buffers),
                [&](unsigned index) { return emitter.load(immediates, emitter.index(index)); });
  Task task{kernel, emitter.wrap(arguments.drop_back().back()), emitter.wrap(arguments.back())};
  switch (op.getKind()) {
  case KernelKind::Row:
  case KernelKind::Flat:
    lowerRows(task, tables.ops);
    break;
  case KernelKind::Column:
    lowerColumns(task, tables.ops);
    break;
  case KernelKind::Tile:
    lowerTiles(task, emitter, tables.tiles);
    break;
  case KernelKind::Gemm:
  case KernelKind::View:
    llvm_unreachable("the verifier lets no such kernel pass");
  }
  // Remove constants that have no use left, since they were folded into others.
  for (Operation &unused : llvm::make_early_inc_range(llvm::reverse(*entry)))
    if (isOpTriviallyDead(&unused))
      unused.erase();
  return failure(kernel.isRefused());
}

static FailureOr<OwningOpRef<ModuleOp>> lowerToModule(ArrayRef<step::KernelOp> kernels, Location loc) {
  static const HostTables tables;
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc, "host_kernels");
  OpBuilder builder(module->getContext());
  builder.setInsertionPointToEnd(module->getBody());
  LogicalResult result = success();
  for (step::KernelOp kernel : kernels)
    if (failed(lowerKernel(kernel, builder, tables)))
      result = failure(); // go on, so that all kernels are diagnosed
  if (failed(result))
    return failure();
  return module;
}

FailureOr<OwningOpRef<ModuleOp>> tx::lowerKernelsToVector(step::ProgramOp program) {
  return lowerToModule(llvm::to_vector(program.getBody().getOps<step::KernelOp>()), program.getLoc());
}

FailureOr<OwningOpRef<ModuleOp>> tx::lowerKernelToVector(step::KernelOp kernel) {
  return lowerToModule(kernel, kernel.getLoc());
}

void tx::registerVectorKernelDialects(DialectRegistry &registry) {
  registry.insert<amx::AMXDialect, func::FuncDialect, arith::ArithDialect, math::MathDialect, memref::MemRefDialect,
                  scf::SCFDialect, vector::VectorDialect>();
}

namespace {
struct LowerKernelsToVector : tx::impl::LowerKernelsToVectorBase<LowerKernelsToVector> {
  void runOnOperation() override {
    FailureOr<OwningOpRef<ModuleOp>> module = lowerKernelsToVector(getOperation());
    if (failed(module))
      return signalPassFailure();
    mlir::Block &body = getOperation().getBody().front();
    body.push_back(module->release());
  }
};
} // namespace
