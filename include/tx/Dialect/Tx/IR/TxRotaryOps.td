//===- TxRotaryOps.td - Rotary position embedding --------------------------------------------------*- tablegen -*-===//

#ifndef TX_ROTARY_OPS_TD
#define TX_ROTARY_OPS_TD

include "tx/Dialect/Tx/IR/TxBase.td"

def Tx_PositionsOp : Tx_ComputeOp<"positions", (ins), [Tx_Exact, Tx_Kernel]> {
  let summary = "0, 1, 2, ...: the places of a sample's tokens";
  let description = [{
    ```mlir
    %p = tx.positions in <"rotary_pos_emb"> : tensor<4xi32>
    ```
  }];
  let results = (outs Tx_I32Tensor:$result);
  let assemblyFormat = "`in` $scope attr-dict `:` type($result)";
}

def Tx_RopeTableOp : Tx_ComputeOp<"rope_table",
                                  (ins Tx_I32Tensor:$positions, DenseF64ArrayAttr:$frequencies,
                                      DefaultValuedAttr<F64Attr, "1.0">:$scale),
                                  [Tx_Exact, Tx_Kernel, Tx_VectorCost, Tx_Inferred]> {
  let summary = "the cosines and sines that `tx.rope` takes";
  let description = [{
    Of each position p and frequency f: scale * cos(p * f) and scale * sin(p * f), in f32. A frequency and the angle are
    rounded to f32, as in PyTorch's models, and the cosine is that of the rounded angle within 1e-7. Positions [s], or
    [b,s] if each sample has its own. The result has one more dimension: one column for each frequency. `scale` is the
    attention factor of yarn.

    ```mlir
    %p = tx.positions in <"rotary_pos_emb"> : tensor<4xi32>
    %cos, %sin = tx.rope_table %p frequencies [1.0, 0.01] in <"rotary_pos_emb"> : tensor<4xi32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$cos, Tx_F32Tensor:$sin);
  let extraClassDeclaration = [{
    ::llvm::StringRef getResultLabel(unsigned number) { return number == 0 ? "cos" : "sin"; }
  }];
  let assemblyFormat = [{
    $positions `frequencies` custom<Numbers>($frequencies) (`scale` $scale^)? `in` $scope attr-dict
    `:` type($positions)
  }];
}

def Tx_RopeOp : Tx_ComputeOp<"rope",
    (ins Tx_FloatTensor:$x, Tx_F32Tensor:$cos, Tx_F32Tensor:$sin, I64Attr:$heads, UnitAttr:$interleaved,
         UnitAttr:$inverse),
    [Tx_Exact, Tx_Differentiable, Tx_InPlaceTableKernel, Tx_VectorCost, AllTypesMatch<["x", "y"]>,
     AllTypesMatch<["cos", "sin"]>]> {
  let summary = "rotary position embedding of each head";
  let description = [{
    x [b,s,h] has `heads` heads of width d = h / heads; cos and sin [s, r/2] or [b,s,r/2] with r <= d. Column i of a
    head is rotated with column i + r/2, for i < r/2; or, if `interleaved`, column 2i with column 2i + 1: y1 = x1 cos -
    x2 sin, y2 = x2 cos + x1 sin. `inverse` takes -sin: the gradient of RoPE is the inverse of dy. A head's columns
    behind the first r pass (Su et al. 2021: "RoFormer"). Computed in f32 and rounded once.

    ```mlir
    %p = tx.positions in <"rotary_pos_emb"> : tensor<4xi32>
    %cos, %sin = tx.rope_table %p frequencies [1.0] in <"rotary_pos_emb"> : tensor<4xi32>
    %q1 = tx.rope %q, %cos, %sin heads 3 in <layer 0, "self_attention.rope"> : tensor<2x4x6xf32>, tensor<4x1xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$y);
  let extraClassDeclaration = [{
    /// Columns of a head, and how many of them are rotated.
    int64_t getHeadSize();
    int64_t getRotated();
  }];
  let assemblyFormat = [{
    $x `,` $cos `,` $sin `heads` $heads (`interleaved` $interleaved^)? (`inverse` $inverse^)? `in` $scope attr-dict
    `:` type($x) `,` type($cos)
  }];
}

#endif // TX_ROTARY_OPS_TD
