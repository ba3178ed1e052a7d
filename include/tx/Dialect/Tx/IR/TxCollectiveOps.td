//===- TxCollectiveOps.td - What ranks do together -------------------------------------------------*- tablegen -*-===//

#ifndef TX_COLLECTIVE_OPS_TD
#define TX_COLLECTIVE_OPS_TD

include "tx/Dialect/Tx/IR/TxBase.td"

def Tx_MeshAxisOp : Tx_Op<"mesh_axis", [Symbol]> {
  let summary = "a direction in which a program's ranks are numbered";
  let description = [{
    The ranks that run one program are a mesh, and a collective joins those that differ in one axis alone. The first
    axis of a module varies slowest. An axis says what its ranks have parts of:

    - `batch`: the global batch. Parameters are the same, and their gradients are
      summed over it.
    - `sequence`, `tensor`, `expert`, `stage`: the tokens of a sample, the weights
      of a layer, the experts, the layers.

    A plain function runs on any mesh, also over an axis that says nothing. A module is trained over batch axes alone:
    over any other one, ranks need the same samples and parts of the parameters, which nothing gives them yet.

    ```mlir
    tx.mesh_axis @dp size 4 batch
    tx.mesh_axis @tp size 2 tensor
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$size, OptionalAttr<Tx_AxisKind>:$kind);
  let assemblyFormat = "$sym_name `size` $size ($kind^)? attr-dict";
  let hasVerifier = 1;
}

// An op on one mesh axis. Every rank of the axis runs it, in the same order as
// its other collectives. All ranks run one program, so a replay has one order too:
// `replay` is Exact for what gives parts to others (gather, scatter, all-to-all) and
// may be recomputed at the price of sending them again. What continues its operand in
// place, has a root or a receiver happens once: every policy keeps its result.
// `sums`: each element of the operand is added once, somewhere.
class Tx_CollectiveOp<string mnemonic, string kind, bit sums, string replay, dag args = (ins), list<Trait> traits = []>
    : Tx_ComputeOp<mnemonic, !con((ins Tx_FloatTensor:$operand), args, (ins FlatSymbolRefAttr:$axis)),
                   !listconcat([DeclareOpInterfaceMethods<Tx_CollectiveOpInterface, ["getCollectiveForm"]>,
                                DeclareOpInterfaceMethods<Tx_CostOpInterface, ["getVectorFlops", "getSentBytes"]>,
                                DeclareOpInterfaceMethods<Tx_RecomputeOpInterface, ["getReplayKind"]>,
                                DeclareOpInterfaceMethods<SymbolUserOpInterface>, Tx_Differentiable], traits)> {
  let results = (outs Tx_FloatTensor:$result);
  let hasVerifier = 0; // how many ranks there are is known to verifySymbolUses alone
  let extraClassDefinition = [{
    ::tx::CollectiveKind $cppClass::getCollectiveKind() { return ::tx::CollectiveKind::}] # kind # [{; }
    ::tx::ReplayKind $cppClass::getReplayKind() { return ::tx::ReplayKind::}] # replay # [{; }
    int64_t $cppClass::getVectorFlops() {
      return }] # !if(sums, "getOperand().getType().getNumElements()", "0") # [{;
    }
  }];
}

// The result has the operand's type.
class Tx_ShapedAlikeCollectiveOp<string mnemonic, string kind, bit sums, string replay, dag args = (ins),
                                 list<Trait> traits = []>
    : Tx_CollectiveOp<mnemonic, kind, sums, replay, args, !listconcat([AllTypesMatch<["operand", "result"]>], traits)>;

def Tx_AllReduceOp : Tx_ShapedAlikeCollectiveOp<"all_reduce", "AllReduce", 1, "Never", (ins), [Tx_Accumulating]> {
  let summary = "the sum over the ranks of an axis, on each of them, in place";
  let description = [{
    Ranks add in the order of their numbers, in f32 with one rounding at the end for narrower types, so every rank has
    the same bits and every run the same.

    Its dual is the identity: the result is one value that all ranks share, and so is its gradient, which each rank
    passes on to its own summand.

    ```mlir
    tx.mesh_axis @dp size 4 batch

    %sum = tx.all_reduce %g on @dp in <backward, layer 0, "mlp.fc1"> : tensor<6x8xf32>
    ```
  }];
  let assemblyFormat = "$operand `on` $axis `in` $scope attr-dict `:` type($operand)";
}

def Tx_AllGatherOp : Tx_CollectiveOp<"all_gather", "AllGather", 0, "Exact", (ins I64Attr:$dim)> {
  let summary = "the operands of all ranks, joined along a dimension, on each of them";
  let description = [{
    In the order of ranks. Each rank goes on with the whole in its own way, so its dual sums: `tx.reduce_scatter`. The
    result's type is written, since the axis that it depends on may stand behind the op.

    ```mlir
    tx.mesh_axis @tp size 2

    %whole = tx.all_gather %x dim 1 on @tp in <layer 0, "layernorm"> : tensor<2x4x6xf32> -> tensor<2x8x6xf32>
    ```
  }];
  let assemblyFormat = "$operand `dim` $dim `on` $axis `in` $scope attr-dict `:` type($operand) `->` type($result)";
}

def Tx_ReduceScatterOp : Tx_CollectiveOp<"reduce_scatter", "ReduceScatter", 1, "Exact", (ins I64Attr:$dim)> {
  let summary = "a rank's part of the sum over all ranks";
  let description = [{
    Parts lie along a dimension, in the order of ranks; sums are as those of `tx.all_reduce`. Its dual is
    `tx.all_gather`.

    ```mlir
    tx.mesh_axis @tp size 2

    %part = tx.reduce_scatter %y dim 1 on @tp in <layer 0, "mlp.fc2"> : tensor<2x8x6xf32> -> tensor<2x4x6xf32>
    ```
  }];
  let assemblyFormat = "$operand `dim` $dim `on` $axis `in` $scope attr-dict `:` type($operand) `->` type($result)";
}

def Tx_AllToAllOp : Tx_ShapedAlikeCollectiveOp<"all_to_all", "AllToAll", 0, "Exact", (ins I64Attr:$dim)> {
  let summary = "part i of rank j becomes part j of rank i";
  let description = [{
    Parts lie along a dimension, before and after: what one rank had for all is what it has of all. Its own dual.

    ```mlir
    tx.mesh_axis @ep size 2

    %y = tx.all_to_all %x dim 0 on @ep in <layer 0, "moe"> : tensor<4x6xf32>
    ```
  }];
  let assemblyFormat = "$operand `dim` $dim `on` $axis `in` $scope attr-dict `:` type($operand)";
}

def Tx_BroadcastOp : Tx_ShapedAlikeCollectiveOp<"broadcast", "Broadcast", 0, "Never", (ins I64Attr:$root)> {
  let summary = "one rank's operand, on each of them";
  let description = [{
    Each rank goes on with it in its own way; its dual sums: `tx.reduce`.

    ```mlir
    tx.mesh_axis @dp size 2

    %y = tx.broadcast %x from 0 on @dp in <"embedding"> : tensor<4x6xf32>
    ```
  }];
  let assemblyFormat = "$operand `from` $root `on` $axis `in` $scope attr-dict `:` type($operand)";
}

def Tx_ReduceOp : Tx_ShapedAlikeCollectiveOp<"reduce", "Reduce", 1, "Never", (ins I64Attr:$root)> {
  let summary = "the sum over the ranks, on one of them; zeros on the others";
  let description = [{
    Sums are as those of `tx.all_reduce`. Its dual is `tx.broadcast`.

    ```mlir
    tx.mesh_axis @dp size 2

    %y = tx.reduce %x to 1 on @dp in <"loss"> : tensor<4x6xf32>
    ```
  }];
  let assemblyFormat = "$operand `to` $root `on` $axis `in` $scope attr-dict `:` type($operand)";
}

def Tx_SendRecvOp : Tx_ShapedAlikeCollectiveOp<"send_recv", "SendRecv", 0, "Never",
                                               (ins I64Attr:$shift, UnitAttr:$wraps)> {
  let summary = "the operand of the rank some places before";
  let description = [{
    Every rank sends to the one `shift` places after it, and has zeros where nobody sends to it; with `wraps` the last
    rank stands before the first. Its dual shifts the other way.

    ```mlir
    tx.mesh_axis @pp size 4

    %y = tx.send_recv %x by 1 on @pp in <layer 1, "residual"> : tensor<2x4x6xf32>
    ```
  }];
  let assemblyFormat = "$operand `by` $shift (`wraps` $wraps^)? `on` $axis `in` $scope attr-dict `:` type($operand)";
}

#endif // TX_COLLECTIVE_OPS_TD
