//===- TxAttentionOps.td - Unfused core attention ----------*- tablegen -*-===//

#ifndef TX_ATTENTION_OPS_TD
#define TX_ATTENTION_OPS_TD

include "tx/Dialect/Tx/IR/TxBase.td"

def Tx_AttentionScoresOp : Tx_ComputeOp<"attention_scores",
    (ins Tx_FloatTensor:$q, Tx_FloatTensor:$k, I64Attr:$heads, F64Attr:$scale),
    [Tx_Exact, Tx_Differentiable, Tx_Kernel, Tx_Gemm, Tx_MatrixCost, Tx_Inferred]> {
  let summary = "scale Q K^T, by head";
  let description = [{
    q [b,s,h], k [b,t,h], head i in columns [i h/a, (i+1) h/a) -> [b,a,s,t].
    The gradient of P V by P is the same op on (dO, V).

    ```mlir
    %scores = tx.attention_scores %q, %k heads 2 scale 0.5 in <layer 0, "self_attention.core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$scores);
  let assemblyFormat = [{
    $q `,` $k `heads` $heads `scale` $scale `in` $scope attr-dict `:` type($q) `,` type($k)
  }];
}

def Tx_SoftmaxOp : Tx_ComputeOp<"softmax", (ins Tx_FloatTensor:$x, UnitAttr:$causal),
    [Tx_Exact, Tx_Differentiable, Tx_ReducingKernel, Tx_VectorCost, SameOperandsAndResultType]> {
  let summary = "softmax over the last dimension, causal or not";
  let description = [{
    x [b,a,s,t]. If `causal`, row i takes part with its first i + 1 columns and
    the others become 0.

    ```mlir
    %p = tx.softmax %scores causal in <layer 0, "self_attention.core_attn"> : tensor<2x2x4x4xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$y);
  let assemblyFormat = "$x (`causal` $causal^)? `in` $scope attr-dict `:` type($y)";
}

def Tx_SoftmaxGradOp : Tx_ComputeOp<"softmax_grad", (ins Tx_FloatTensor:$dy, Tx_FloatTensor:$y),
    [Tx_Exact, Tx_ReducingKernel, Tx_VectorCost, SameOperandsAndResultType]> {
  let summary = "the gradient of `tx.softmax` from its output";
  let description = [{
    dx = y * (dy - sum(dy * y)), the sum over the row.

    ```mlir
    %dx = tx.softmax_grad %dy, %p in <backward, layer 0, "self_attention.core_attn"> : tensor<2x2x4x4xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$dx);
  let assemblyFormat = "$dy `,` $y `in` $scope attr-dict `:` type($dx)";
}

def Tx_AttentionContextOp : Tx_ComputeOp<"attention_context",
    (ins Tx_FloatTensor:$p, Tx_FloatTensor:$v, UnitAttr:$transposed, DefaultValuedAttr<F64Attr, "1.0">:$scale),
    [Tx_Exact, Tx_Differentiable, Tx_Kernel, Tx_Gemm, Tx_MatrixCost, Tx_Inferred]> {
  let summary = "scale P V, by head";
  let description = [{
    p [b,a,s,t], v [b,t,h] -> [b,s,h]; if `transposed`, P^T: v [b,s,h] -> [b,t,h].
    The gradients of scores by Q and K and of P V by V are this op too.

    ```mlir
    %o = tx.attention_context %p, %v in <layer 0, "self_attention.core_attn"> : tensor<2x2x4x4xf32>, tensor<2x4x6xf32>
    %dv = tx.attention_context %p, %do transposed in <backward, layer 0, "self_attention.core_attn"> : tensor<2x2x4x4xf32>, tensor<2x4x6xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$result);
  let assemblyFormat = [{
    $p `,` $v (`transposed` $transposed^)? (`scale` $scale^)? `in` $scope attr-dict `:` type($p) `,` type($v)
  }];
}

#endif // TX_ATTENTION_OPS_TD
