//===- LibraryAttention.cpp - What cuDNN can compute, and needs ---------------------------------------------------===//

#include "LibraryAttention.h"

#include "txrt/abi.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tx;

AttentionOpInterface tx::getAttention(step::GroupOp group) {
  Block &body = group.getBody().front();
  if (!llvm::hasSingleElement(body.without_terminator()))
    return nullptr;
  return dyn_cast<AttentionOpInterface>(body.front());
}

std::string tx::findObstacle(const AttentionForm &form) {
  constexpr int64_t kWidest = 128, kStep = 8;
  Type element = cast<RankedTensorType>(form.values[TXRT_ATTENTION_Q].getType()).getElementType();
  if (!element.isBF16())
    return llvm::formatv("it takes bf16, and this model is {0}; --bf16 would do", element);
  if (form.dropout > 0)
    return "weights are dropped, and cuDNN can not draw the masks of Tx; --attention-dropout 0 would do";
  for (int64_t width : {form.width, form.valueWidth})
    if (width > kWidest || width % kStep)
      return llvm::formatv("heads are {0} wide, and it takes multiples of {1} up to {2}", width, kStep, kWidest);
  if (form.window)
    return llvm::formatv("queries see a window of {0} keys, for which Tx makes it no plan yet", form.window);
  if (form.softCap)
    return llvm::formatv("scores have a soft cap of {0}, for which Tx makes it no plan yet", form.softCap);
  if (form.queries == 1 && form.keys == 1)
    return "sequences have one token, and its gradient does not take that";
  return "";
}

step::GroupOp tx::giveAllResults(step::GroupOp group) {
  Block &body = group.getBody().front();
  Operation *yield = body.getTerminator();
  SmallVector<Type> types(group.getResultTypes());
  SmallVector<Value> missing;
  for (Value result : body.front().getResults())
    if (!llvm::is_contained(yield->getOperands(), result)) {
      missing.push_back(result);
      types.push_back(result.getType());
    }
  if (missing.empty())
    return group;
  yield->insertOperands(yield->getNumOperands(), missing);
  OpBuilder builder(group);
  auto whole = step::GroupOp::create(builder, group.getLoc(), types, group.getInputs(), group.getKind(),
                                     group.getSpace(), group.getScope());
  whole.getBody().takeBody(group.getBody());
  group->replaceAllUsesWith(whole->getResults().take_front(group->getNumResults()));
  group.erase();
  return whole;
}

/// The bytes that cuDNN 9.19 reports for such devices, with tiles rounded up; cuDNN uses at most `kOwn` bytes for
/// itself.
int64_t tx::getAttentionScratchBytes(const AttentionForm &form, bool deterministic, int capability) {
  constexpr int64_t kTile = 128, kOwn = TXRT_SCRATCH_ALIGNMENT;
  if (!form.backward)
    return kOwn;
  int64_t heads = form.batch * form.heads, rows = heads * form.queries;
  auto aligned = [](int64_t bytes) { return static_cast<int64_t>(llvm::alignTo(bytes, TXRT_SCRATCH_ALIGNMENT)); };
  int64_t bytes = kOwn + aligned(rows * sizeof(float)); // the sums of dO * O
  int generation = capability / 10;
  // dK and dV of each query head, if heads share keys; cuDNN's own engine for deterministic Blackwell has them in f32.
  if (form.keyHeads != form.heads)
    bytes += aligned((deterministic && generation == 10 ? sizeof(float) : 2) * heads * form.keys *
                     (form.width + form.valueWidth));
  if (deterministic && generation == 10) // cuDNN uses another engine there
    return bytes;
  if (deterministic) // dS
    return bytes + heads * llvm::alignTo(form.queries, kTile) * llvm::alignTo(form.keys, kTile) * 2;
  // One f32 copy of dQ, or two.
  return bytes + (generation == 9 || generation == 10 ? 1 : 2) * aligned(rows * form.width * sizeof(float));
}
