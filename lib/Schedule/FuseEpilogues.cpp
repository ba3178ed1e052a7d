//===- FuseEpilogues.cpp - What a library does beside a product -----------===//

#include "tx/Schedule/Passes.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_FUSEEPILOGUESPASS
#include "tx/Schedule/Passes.h.inc"
} // namespace tx

/// The library adds a row of C's type.
static bool addsBias(const GemmForm &form) {
  return form.bias && form.batch0 * form.batch1 == 1 &&
         cast<RankedTensorType>(form.bias.getType()).getElementType() ==
             cast<RankedTensorType>(form.c.value.getType()).getElementType();
}

static void mark(Operation *op, step::Epilogue epilogue) {
  op->setAttr(kEpilogueAttr, step::EpilogueAttr::get(op->getContext(), epilogue));
}

/// Products of the same block that read `value`, the first one first.
static SmallVector<GemmOpInterface> findProducts(Value value, Block *block) {
  SmallVector<GemmOpInterface> products;
  for (Operation *user : value.getUsers())
    if (auto product = dyn_cast<GemmOpInterface>(user); product && user->getBlock() == block)
      products.push_back(product);
  llvm::sort(products, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  products.erase(llvm::unique(products), products.end());
  return products;
}

/// Whether nobody needs the sum before the product is there. Both ops and what
/// reads the sum are of every policy, and so is this order.
static bool mayFollow(RowSumOpInterface sum, GemmOpInterface product) {
  return llvm::all_of(sum->getUsers(), [&](Operation *user) {
    return user->getBlock() == product->getBlock() && product->isBeforeInBlock(user);
  });
}

/// The sum of a tensor's rows becomes that of the one row which the library has.
static void fuseSum(RowSumOpInterface sum) {
  OpOperand &summed = sum.getSummedOperand();
  if (getRows(summed.get().getType()) == 1)
    return;
  for (GemmOpInterface product : findProducts(summed.get(), sum->getBlock())) {
    if (product->hasAttr(kEpilogueAttr) || !mayFollow(sum, product))
      continue;
    OpBuilder builder(product);
    Operation *fused = product.buildWithSums(builder, summed.get());
    if (!fused)
      continue;
    fused->setDiscardableAttrs(product->getDiscardableAttrDictionary());
    mark(fused, cast<GemmOpInterface>(fused).getGemmForm().sumsA ? step::Epilogue::SumsA : step::Epilogue::SumsB);
    product->replaceAllUsesWith(fused->getResults().drop_back());
    product->erase();
    summed.set(fused->getResults().back());
    if (sum->isBeforeInBlock(fused))
      sum->moveAfter(fused);
    return;
  }
}

namespace {

struct FuseEpilogues : tx::impl::FuseEpiloguesPassBase<FuseEpilogues> {
  using FuseEpiloguesPassBase::FuseEpiloguesPassBase;

  void runOnOperation() override {
    if (bias)
      getOperation().walk([](GemmOpInterface op) {
        if (addsBias(op.getGemmForm()))
          mark(op, step::Epilogue::Bias);
      });
    SmallVector<RowSumOpInterface> found;
    if (sums)
      getOperation().walk([&](RowSumOpInterface op) { found.push_back(op); });
    llvm::for_each(found, fuseSum);
  }
};

} // namespace
