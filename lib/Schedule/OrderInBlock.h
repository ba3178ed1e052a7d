//===- OrderInBlock.h - Where ops stand, while they move ------------------------------------------------*- C++ -*-===//
//
// Answers isBefore while a pass moves ops. mlir::Block renumbers all of its ops after a move, so a pass that moves a
// few ops of each layer would take time that grows with the square of the layers. Here a moved op gets a number between
// those of its new neighbours.
//
//   OrderInBlock order(block);
//   if (order.isBefore(a, b))
//     order.moveAfter(a, b);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_SCHEDULE_ORDERINBLOCK_H
#define TX_LIB_SCHEDULE_ORDERINBLOCK_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"

namespace tx {

class OrderInBlock {
public:
  explicit OrderInBlock(mlir::Block &block) : block(block) { number(); }

  bool isBefore(mlir::Operation *a, mlir::Operation *b) const { return places.lookup(a) < places.lookup(b); }

  void moveBefore(mlir::Operation *op, mlir::Operation *next) {
    op->moveBefore(next);
    add(op);
  }
  void moveAfter(mlir::Operation *op, mlir::Operation *previous) {
    op->moveAfter(previous);
    add(op);
  }

  /// Numbers an op that somebody has put into the block, before its terminator.
  void add(mlir::Operation *op) {
    mlir::Operation *previous = op->getPrevNode();
    int64_t before = previous ? places.lookup(previous) : 0, after = places.lookup(op->getNextNode());
    places[op] = before + (after - before) / 2;
    if (after - before < 2)
      number();
  }

private:
  static constexpr int64_t kDistance = int64_t(1) << 32;

  void number() {
    int64_t place = 0;
    for (mlir::Operation &op : block)
      places[&op] = place += kDistance;
  }

  mlir::Block &block;
  llvm::DenseMap<mlir::Operation *, int64_t> places;
};

} // namespace tx

#endif // TX_LIB_SCHEDULE_ORDERINBLOCK_H
