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

static RankedTensorType typeOf(const AttentionForm &form, txrt_attention_operand which) {
  return cast<RankedTensorType>(form.values[which].getType());
}

std::string tx::findObstacle(const AttentionForm &form) {
  constexpr int64_t kWidest = 128, kStep = 8;
  RankedTensorType q = typeOf(form, TXRT_ATTENTION_Q);
  int64_t width = q.getDimSize(2) / form.heads;
  if (!q.getElementType().isBF16())
    return llvm::formatv("it takes bf16, and this model is {0}; --bf16 would do", q.getElementType());
  if (form.dropout > 0)
    return "weights are dropped, and cuDNN can not draw the masks of Tx; --attention-dropout 0 would do";
  if (width > kWidest || width % kStep)
    return llvm::formatv("heads are {0} wide, and it takes multiples of {1} up to {2}", width, kStep, kWidest);
  if (q.getDimSize(1) == 1 && typeOf(form, TXRT_ATTENTION_K).getDimSize(1) == 1)
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
  ArrayRef<int64_t> q = typeOf(form, TXRT_ATTENTION_Q).getShape(), k = typeOf(form, TXRT_ATTENTION_K).getShape();
  if (!form.backward)
    return kOwn;
  int64_t heads = q[0] * form.heads, rows = heads * q[1], width = q[2] / form.heads;
  auto aligned = [](int64_t bytes) { return static_cast<int64_t>(llvm::alignTo(bytes, TXRT_SCRATCH_ALIGNMENT)); };
  int64_t bytes = kOwn + aligned(rows * sizeof(float)); // the sums of dO * O
  if (k[2] != q[2])                                     // dK and dV of each query head, if heads share keys
    bytes += aligned(2 * heads * k[1] * width * 2);
  int generation = capability / 10;
  if (deterministic && generation == 10) // cuDNN uses another engine there
    return bytes;
  if (deterministic) // dS
    return bytes + heads * llvm::alignTo(q[1], kTile) * llvm::alignTo(k[1], kTile) * 2;
  // One f32 copy of dQ, or two.
  return bytes + (generation == 9 || generation == 10 ? 1 : 2) * aligned(rows * width * sizeof(float));
}
