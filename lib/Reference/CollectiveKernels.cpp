//===- CollectiveKernels.cpp - What ranks do together -------------------------------------------------------------===//

#include "Kernels.h"

using namespace mlir;
using namespace tx;

namespace {

/// The ranks among which a collective runs: those that differ from each other only in their place on its axis.
class Group {
public:
  /// The group of rank `self`. `operands` has the operand of each rank of the whole mesh.
  Group(CollectiveOpInterface op, ArrayRef<const Tensor *> operands, int64_t self, int64_t stride)
      : kind(op.getCollectiveKind()), form(op.getCollectiveForm()), operands(operands), ranks(getRanks(op)),
        stride(stride), index(self / stride % ranks), first(self - index * stride) {}

  void run(Tensor &result) const {
    auto count = static_cast<int64_t>(operands[first]->values.size());
    int64_t block = count / form.outer, part = block / ranks;
    for (int64_t i = 0; i < static_cast<int64_t>(result.values.size()); ++i)
      result.values[i] = element(i, block, part);
  }

private:
  double at(int64_t place, int64_t i) const { return operands[first + place * stride]->values[i]; }
  double sum(int64_t i) const {
    double all = 0;
    for (int64_t place = 0; place < ranks; ++place)
      all += at(place, i);
    return all;
  }

  double element(int64_t i, int64_t block, int64_t part) const {
    switch (kind) {
    case CollectiveKind::AllReduce:
      return sum(i);
    case CollectiveKind::AllGather:
      return at(i / block % ranks, i / (block * ranks) * block + i % block);
    case CollectiveKind::ReduceScatter:
      return sum(i / part * block + index * part + i % part);
    case CollectiveKind::AllToAll:
      return at(i / part % ranks, i / block * block + index * part + i % part);
    case CollectiveKind::Broadcast:
      return at(form.peer, i);
    case CollectiveKind::Reduce:
      return index == form.peer ? sum(i) : 0.0;
    case CollectiveKind::SendRecv: {
      int64_t source = index - form.peer;
      if (form.wraps)
        source = (source % ranks + ranks) % ranks;
      return source < 0 || source >= ranks ? 0.0 : at(source, i);
    }
    }
    llvm_unreachable("all kinds are known");
  }

  CollectiveKind kind;
  CollectiveForm form;
  ArrayRef<const Tensor *> operands;
  int64_t ranks, stride;
  int64_t index; ///< this rank's place in the group
  int64_t first; ///< the number in the mesh of the group's first rank
};

/// Runs a collective when the interpreter runs a single rank: an axis of several ranks is an error.
template <typename Op> LogicalResult runAlone(Op op, Operands in, Results out) {
  if (int64_t ranks = getRanks(op); ranks != 1)
    return op.emitOpError("joins ") << ranks << " ranks of axis " << op.getAxisAttr() << "; the interpreter is one";
  runCollective(op, in, /*self=*/0, out[0]);
  return success();
}

} // namespace

void tx::runCollective(CollectiveOpInterface op, Operands all, int64_t self, Tensor &result) {
  Group(op, all, self, getRankStride(op)).run(result);
}

void tx::addCollectiveKernels(KernelTable &table) {
  table.add<AllReduceOp, runAlone<AllReduceOp>>();
  table.add<AllGatherOp, runAlone<AllGatherOp>>();
  table.add<ReduceScatterOp, runAlone<ReduceScatterOp>>();
  table.add<AllToAllOp, runAlone<AllToAllOp>>();
  table.add<BroadcastOp, runAlone<BroadcastOp>>();
  table.add<ReduceOp, runAlone<ReduceOp>>();
  table.add<SendRecvOp, runAlone<SendRecvOp>>();
}
