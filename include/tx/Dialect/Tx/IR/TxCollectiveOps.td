//===- TxCollectiveOps.td - What ranks do together ---------*- tablegen -*-===//

#ifndef TX_COLLECTIVE_OPS_TD
#define TX_COLLECTIVE_OPS_TD

include "tx/Dialect/Tx/IR/TxBase.td"

def Tx_MeshAxisOp : Tx_Op<"mesh_axis", [Symbol]> {
  let summary = "a direction in which a program's ranks are numbered";
  let description = [{
    The ranks that run one program are a mesh, and a collective joins those that
    differ in one axis alone. The first axis of a module varies slowest. Over an
    axis marked `batch` each rank has its own part of the global batch, and
    parameters are the same: their gradients are summed over it.

    ```mlir
    tx.mesh_axis @dp size 4 batch
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$size, UnitAttr:$batch);
  let assemblyFormat = "$sym_name `size` $size (`batch` $batch^)? attr-dict";
  let hasVerifier = 1;
}

// An op on one mesh axis. Every rank of the axis runs it, in the same order as
// its other collectives; it happens once, so recomputation never communicates.
class Tx_CollectiveOp<string mnemonic, dag args, list<Trait> traits = []>
    : Tx_ComputeOp<mnemonic, !con(args, (ins FlatSymbolRefAttr:$axis)),
                   !listconcat([DeclareOpInterfaceMethods<Tx_CollectiveOpInterface>,
                                DeclareOpInterfaceMethods<Tx_RecomputeOpInterface, ["getReplayKind"]>,
                                DeclareOpInterfaceMethods<SymbolUserOpInterface>], traits)>;

def Tx_AllReduceOp : Tx_CollectiveOp<"all_reduce", (ins Tx_FloatTensor:$operand),
    [Tx_Accumulating, Tx_Differentiable, DeclareOpInterfaceMethods<Tx_CostOpInterface, ["getVectorFlops"]>,
     AllTypesMatch<["operand", "result"]>]> {
  let summary = "the sum over the ranks of an axis, on each of them, in place";
  let description = [{
    Ranks add in the order of their numbers, in f32 with one rounding at the end for
    narrower types, so every rank has the same bits and every run the same.

    Its dual is the identity: the result is one value that all ranks share, and so
    is its gradient, which each rank passes on to its own summand.

    ```mlir
    tx.mesh_axis @dp size 4 batch

    %sum = tx.all_reduce %g on @dp in <backward, layer 0, "mlp.fc1"> : tensor<6x8xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$result);
  let assemblyFormat = "$operand `on` $axis `in` $scope attr-dict `:` type($operand)";
}

#endif // TX_COLLECTIVE_OPS_TD
