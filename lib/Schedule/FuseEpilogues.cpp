//===- FuseEpilogues.cpp - What a library does beside a product ---------------------------------------------------===//

#include "LibraryEpilogues.h"
#include "OrderInBlock.h"

#include "tx/Schedule/Passes.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_FUSEEPILOGUESPASS
#include "tx/Schedule/Passes.h.inc"
} // namespace tx

static void mark(Operation *op, std::optional<step::GemmRole> epilogue) {
  if (epilogue)
    op->setAttr(kEpilogueAttr, step::GemmRoleAttr::get(op->getContext(), *epilogue));
}

/// The products in `block` that may compute the sums over the rows of `value`: the product that gives it, and those
/// that read it, in program order.
static SmallVector<GemmOpInterface> findProducts(Value value, Block *block, const OrderInBlock &order) {
  SmallVector<GemmOpInterface> products;
  for (Operation *user : value.getUsers())
    if (auto product = dyn_cast<GemmOpInterface>(user); product && user->getBlock() == block)
      products.push_back(product);
  if (auto product = value.getDefiningOp<GemmOpInterface>())
    products.push_back(product);
  llvm::sort(products, [&](Operation *a, Operation *b) { return order.isBefore(a, b); });
  products.erase(llvm::unique(products), products.end());
  return products;
}

/// The sum and the ops before the product that need its result (all-reduces over ranks), from the last to the first.
/// They have to move behind the product. Every policy has all of these ops, so their order does not depend on the
/// policy.
static SmallVector<Operation *> findNeeding(RowSumOpInterface sum, Operation *product, const OrderInBlock &order) {
  SetVector<Operation *> needing;
  auto isBefore = [&](Operation *op) { return op->getBlock() == product->getBlock() && order.isBefore(op, product); };
  if (isBefore(sum)) {
    getForwardSlice(sum.getOperation(), &needing, ForwardSliceOptions(isBefore));
    needing.insert(sum);
  }
  SmallVector<Operation *> result = needing.takeVector();
  llvm::sort(result, [&](Operation *a, Operation *b) { return order.isBefore(b, a); });
  return result;
}

static bool readsAny(Operation *op, ArrayRef<Operation *> producers) {
  return llvm::any_of(op->getOperands(),
                      [&](Value value) { return llvm::is_contained(producers, value.getDefiningOp()); });
}

/// Lets a product compute the sum over a tensor's rows as its epilogue. `sum` then gets the product's one row of sums
/// as its operand.
static void fuseSum(RowSumOpInterface sum, bool addsBias, OrderInBlock &order) {
  OpOperand &summed = sum.getSummedOperand();
  if (getRows(summed.get().getType()) == 1)
    return;
  for (GemmOpInterface product : findProducts(summed.get(), sum->getBlock(), order)) {
    SmallVector<Operation *> needing = findNeeding(sum, product, order);
    GemmForm form = product.getGemmForm();
    // An epilogue has one vector: a product with a bias has no place for sums.
    if (form.getSums() || (addsBias && findEpilogue(form)) || readsAny(product, needing))
      continue;
    OpBuilder builder(product);
    Operation *fused = product.buildWithSums(builder, summed.get());
    if (!fused)
      continue;
    fused->setDiscardableAttrs(product->getDiscardableAttrDictionary());
    order.add(fused);
    product->replaceAllUsesWith(fused->getResults().drop_back());
    product->erase();
    summed.set(fused->getResults().back());
    for (Operation *op : needing)
      order.moveAfter(op, fused);
    return;
  }
}

namespace {

struct FuseEpilogues : tx::impl::FuseEpiloguesPassBase<FuseEpilogues> {
  using FuseEpiloguesPassBase::FuseEpiloguesPassBase;

  void runOnOperation() override {
    SmallVector<RowSumOpInterface> found;
    if (sums)
      getOperation().walk([&](RowSumOpInterface op) { found.push_back(op); });
    llvm::DenseMap<Block *, std::unique_ptr<OrderInBlock>> orders;
    for (RowSumOpInterface sum : found) {
      std::unique_ptr<OrderInBlock> &order = orders[sum->getBlock()];
      if (!order)
        order = std::make_unique<OrderInBlock>(*sum->getBlock());
      fuseSum(sum, bias, *order);
    }
    getOperation().walk([&](GemmOpInterface op) {
      GemmForm form = op.getGemmForm();
      if (marks && (bias || form.getSums()))
        mark(op, findEpilogue(form));
    });
  }
};

} // namespace
