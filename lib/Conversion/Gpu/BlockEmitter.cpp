//===- BlockEmitter.cpp - What a block of threads does together ---------------------------------------------------===//
//
// In this folder only this file and ThreadEmitter.cpp create ops of the NVVM and LLVM dialects.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "BlockEmitter.h"

#include "KernelSchedule.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tx::emit;
using namespace tx::simt;

static constexpr unsigned kGlobalSpace = 1, kSharedSpace = 3;

/// The address of a memref's first element, as a pointer in address space `space`, in which it is known to lie. `from`
/// is the address space of the memref's own pointer.
static Value pointerTo(OpBuilder &builder, Location loc, Value memref, unsigned from, unsigned space) {
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, memref);
  address = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), address);
  auto pointer = [&](unsigned in) { return LLVM::LLVMPointerType::get(builder.getContext(), in); };
  Value result = LLVM::IntToPtrOp::create(builder, loc, pointer(from), address);
  return from == space ? result : LLVM::AddrSpaceCastOp::create(builder, loc, pointer(space), result);
}

BlockEmitter::BlockEmitter(OpBuilder &builder, gpu::GPUFuncOp function, unsigned lanes)
    : ThreadEmitter(builder, function, lanes), start(&function.getBody().front()) {
  auto space = gpu::AddressSpaceAttr::get(builder.getContext(), gpu::AddressSpace::Workgroup);
  auto type = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type(), MemRefLayoutAttrInterface(), space);
  Value memory = gpu::DynamicSharedMemoryOp::create(builder, loc, type);
  shared = pointerTo(builder, loc, memory, kSharedSpace, kSharedSpace);
}

SmallVector<Number> BlockEmitter::choose(Number condition, Numbers otherwise,
                                         function_ref<SmallVector<Number>()> body) {
  auto values = [](Numbers numbers) { return llvm::map_to_vector(numbers, [](Number n) { return n.value; }); };
  auto choice = scf::IfOp::create(
      builder, loc, condition.value, [&](OpBuilder &, Location) { scf::YieldOp::create(builder, loc, values(body())); },
      [&](OpBuilder &, Location) { scf::YieldOp::create(builder, loc, values(otherwise)); });
  return llvm::map_to_vector(choice.getResults(), [&](Value value) { return wrap(value); });
}

SmallVector<Number> BlockEmitter::mainLoop(Number begin, Number end, Numbers carried, LoopBody body) {
  SmallVector<Number> results = loop(begin, end, 1, carried, body);
  MLIRContext *context = builder.getContext();
  auto isDisabled = LLVM::LoopLICMAttr::get(context, builder.getBoolAttr(true), {});
  results.front().value.getDefiningOp()->setAttr(
      "llvm.loop_annotation",
      LLVM::LoopAnnotationAttr::get(context, {}, {}, {}, {}, {}, isDisabled, {}, {}, {}, {}, {}, {}, {}, {}, {}));
  return results;
}

Number BlockEmitter::maximum(Number a, Number b) {
  return wrap(LLVM::MaxNumOp::create(builder, loc, a.value, b.value));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Memory
//===--------------------------------------------------------------------------------------------------------------===//

int64_t BlockEmitter::allocate(int64_t bytes) {
  constexpr int64_t kAlignment = 128; // bytes of all 32 banks
  int64_t offset = llvm::alignTo(allocated, kAlignment);
  allocated = offset + bytes;
  mostAllocated = std::max(mostAllocated, allocated);
  return offset;
}

Value BlockEmitter::sharedPointer(Number at, int64_t offset) {
  Type i8 = builder.getI8Type();
  Value pointer = LLVM::GEPOp::create(builder, loc, shared.getType(), i8, shared, ArrayRef<LLVM::GEPArg>{at.value});
  if (!offset)
    return pointer;
  return LLVM::GEPOp::create(builder, loc, shared.getType(), i8, pointer,
                             ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
}

Number BlockEmitter::loadShared(Number at, int64_t offset, Type type) {
  return wrap(LLVM::LoadOp::create(builder, loc, type, sharedPointer(at, offset)));
}

void BlockEmitter::storeShared(Number value, Number at, int64_t offset) {
  LLVM::StoreOp::create(builder, loc, value.value, sharedPointer(at, offset));
}

void BlockEmitter::storeVector(Number vector, const Buffer &buffer, Number element) {
  vector::StoreOp::create(builder, loc, vector.value, buffer.memref, ValueRange{element.value},
                          /*nontemporal=*/false, llvm::MaybeAlign(kAccessBytes));
}

Value BlockEmitter::globalPointer(const Buffer &buffer) {
  Value &pointer = globals[buffer.memref];
  if (!pointer) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(start);
    pointer = pointerTo(builder, loc, buffer.memref, /*from=*/0, kGlobalSpace);
  }
  return pointer;
}

void BlockEmitter::copyAsync(const Buffer &from, Number element, int64_t more, Number at, int64_t offset,
                             Number isThere) {
  Value source = globalPointer(from);
  Value place = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), element.value);
  for (LLVM::GEPArg step : {LLVM::GEPArg(place), LLVM::GEPArg(static_cast<int32_t>(more))})
    source = LLVM::GEPOp::create(builder, loc, source.getType(), from.element(), source, ArrayRef(step));
  Value bytes = isThere.value ? select(isThere, word(kAccessBytes), word(0)).value : Value();
  NVVM::CpAsyncOp::create(builder, loc, sharedPointer(at, offset), source, kAccessBytes,
                          NVVM::LoadCacheModifierKind::CG, bytes);
}

void BlockEmitter::waitForCopies() {
  NVVM::CpAsyncCommitGroupOp::create(builder, loc);
  NVVM::CpAsyncWaitGroupOp::create(builder, loc, 0);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Products
//===--------------------------------------------------------------------------------------------------------------===//

static SmallVector<Number> membersOf(OpBuilder &builder, Location loc, Emitter &e, Value group, unsigned count) {
  SmallVector<Number> members;
  for (int64_t i = 0; i < count; ++i)
    members.push_back(e.wrap(LLVM::ExtractValueOp::create(builder, loc, group, i)));
  return members;
}

SmallVector<Number> BlockEmitter::loadMatrices(Number at, int64_t offset, bool transposed) {
  MLIRContext *context = builder.getContext();
  SmallVector<Type> words(4, i32());
  auto layout = transposed ? NVVM::MMALayout::col : NVVM::MMALayout::row;
  Value matrices = NVVM::LdMatrixOp::create(
      builder, loc, LLVM::LLVMStructType::getLiteral(context, words), sharedPointer(at, offset), 4u, layout,
      NVVM::LdStMatrixShapeAttr::get(context, 8, 8), NVVM::LdStMatrixEltType::B16);
  return membersOf(builder, loc, *this, matrices, 4);
}

void BlockEmitter::multiplyAdd(Numbers a, Numbers b, MutableArrayRef<Number> c) {
  auto values = [](Numbers numbers) { return llvm::map_to_vector(numbers, [](Number n) { return n.value; }); };
  SmallVector<Type> sums(4, f32());
  std::array<NVVM::MMATypes, 2> types = {NVVM::MMATypes::bf16, NVVM::MMATypes::bf16};
  std::array<NVVM::MMALayout, 2> layouts = {NVVM::MMALayout::row, NVVM::MMALayout::col};
  Value result = NVVM::MmaOp::create(builder, loc, LLVM::LLVMStructType::getLiteral(builder.getContext(), sums),
                                     values(a), values(b), values(c), ArrayRef<int64_t>{16, 8, 16}, std::nullopt,
                                     std::nullopt, types, layouts);
  llvm::copy(membersOf(builder, loc, *this, result, 4), c.begin());
}

Number BlockEmitter::pack(Number low, Number high) {
  auto pair = VectorType::get({2}, f32());
  Value both = vector::FromElementsOp::create(builder, loc, pair, ValueRange{low.value, high.value});
  Value rounded = arith::TruncFOp::create(builder, loc, VectorType::get({2}, builder.getBF16Type()), both);
  auto word = VectorType::get({1}, i32());
  Value packed = vector::BitCastOp::create(builder, loc, word, rounded);
  return wrap(vector::ExtractOp::create(builder, loc, packed, ArrayRef<int64_t>{0}));
}
