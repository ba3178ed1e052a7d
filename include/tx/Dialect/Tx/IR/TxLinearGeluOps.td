//===- TxLinearGeluOps.td - A product and GELU in one ----------------------------------------------*- tablegen -*-===//
//
// What a library that multiplies computes in one pass. Each of these is one op for rematerialization too: a GELU that
// is recomputed alone would have other bits.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LINEAR_GELU_OPS_TD
#define TX_LINEAR_GELU_OPS_TD

include "tx/Dialect/Tx/IR/TxBase.td"

def Tx_LinearGeluOp : Tx_ComputeOp<"linear_gelu",
    (ins Tx_FloatTensor:$x, Tx_FloatTensor:$weight, Optional<Tx_FloatTensor>:$bias, UnitAttr:$transposed),
    [DeclareOpInterfaceMethods<Tx_RecomputeOpInterface, ["getIndivisibleModules"]>, Tx_Differentiable, Tx_Kernel,
     Tx_Gemm, Tx_MatrixCost, AllTypesMatch<["y", "pre"]>]> {
  let summary = "y = gelu(pre), pre = x weight + bias, indivisible";
  let description = [{
    x, weight and bias as in `tx.linear`; GELU in its tanh form, as in `tx.gelu`. `pre` is what backward needs. A
    library takes the GELU of the sum before that is rounded to pre's type, a kernel takes that of `pre`: which of them
    it is depends on the target, never on what is recomputed, since a clone computes both results.

    tx-fuse-activations makes it of a product and its GELU. It stands where the product stood: `mlp` recomputes it
    whole, `mlp_act` has nothing to recompute.

    ```mlir
    %y, %pre = tx.linear_gelu %x, %w bias %b in <layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<6x8xf32>, tensor<8xf32> -> tensor<2x4x8xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$y, Tx_FloatTensor:$pre);
  let extraClassDeclaration = [{
    /// `pre` is what the product was called alone.
    ::llvm::StringRef getResultLabel(unsigned number) { return number == 0 ? "gelu" : ""; }
  }];
  let assemblyFormat = [{
    $x `,` $weight (`transposed` $transposed^)? (`bias` $bias^)? `in` $scope attr-dict
    `:` type($x) `,` type($weight) (`,` type($bias)^)? `->` type($y)
  }];
}

def Tx_LinearGeluInputGradOp : Tx_ComputeOp<"linear_gelu_input_grad",
    (ins Tx_FloatTensor:$dy, Tx_FloatTensor:$weight, Tx_FloatTensor:$pre, UnitAttr:$transposed),
    [Tx_Exact, Tx_Kernel, Tx_SummingGemm, Tx_MatrixCost, AllTypesMatch<["pre", "dpre"]>]> {
  let summary = "dpre = gelu'(pre) (dy weight^T)";
  let description = [{
    The gradient of `tx.linear` by its input, and through the GELU that gave this input: dy [..., n], weight as in
    `tx.linear`, pre [..., k] -> [..., k].

    `sums` [k] are those of dpre's rows, for the gradient of the bias that belongs to pre, from the library that
    multiplies: of dpre's type, and so rounded to it once.

    ```mlir
    %d = tx.linear_gelu_input_grad %dy, %w, %pre in <backward, layer 0, "mlp.fc2"> : tensor<2x4x8xf32>, tensor<6x8xf32> -> tensor<2x4x6xf32>
    %e, %sums = tx.linear_gelu_input_grad %dy, %w, %pre in <backward, layer 0, "mlp.fc2"> : tensor<2x4x8xf32>, tensor<6x8xf32> -> tensor<2x4x6xf32> sums tensor<6xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$dpre, Optional<Tx_FloatTensor>:$sums);
  let assemblyFormat = [{
    $dy `,` $weight `,` $pre (`transposed` $transposed^)? `in` $scope attr-dict
    `:` type($dy) `,` type($weight) `->` type($dpre) (`sums` type($sums)^)?
  }];
}

#endif // TX_LINEAR_GELU_OPS_TD
