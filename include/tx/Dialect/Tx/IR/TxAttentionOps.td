//===- TxAttentionOps.td - Core attention ----------------------------------------------------------*- tablegen -*-===//

#ifndef TX_ATTENTION_OPS_TD
#define TX_ATTENTION_OPS_TD

include "tx/Dialect/Tx/IR/TxBase.td"

def Tx_AttentionScoresOp : Tx_ComputeOp<"attention_scores",
    (ins Tx_FloatTensor:$q, Tx_FloatTensor:$k, I64Attr:$heads, F64Attr:$scale),
    [Tx_Exact, Tx_Differentiable, Tx_Kernel, Tx_Gemm, Tx_MatrixCost, Tx_Inferred]> {
  let summary = "scale Q K^T, by head";
  let description = [{
    q [b,s,a d], k [b,t,g d], head i of width d in columns [i d, (i+1) d) -> [b,a,s,t]. With g < a heads of k, a/g heads
    of q in a row share one; or q has the fewer heads, and heads of k share them. The gradient of P V by P is the same
    op on (dO, V).

    ```mlir
    %scores = tx.attention_scores %q, %k heads 2 scale 0.5 in <layer 0, "self_attention.core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
    %grouped = tx.attention_scores %q1, %k1 heads 4 scale 0.5 in <layer 0, "self_attention.core_attn"> : tensor<2x4x12xf32>, tensor<2x4x6xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$scores);
  let extraClassDeclaration = [{
    /// Columns of a head.
    int64_t getHeadWidth();
  }];
  let assemblyFormat = [{
    $q `,` $k `heads` $heads `scale` $scale `in` $scope attr-dict `:` type($q) `,` type($k)
  }];
}

def Tx_SoftmaxOp : Tx_ComputeOp<"softmax", (ins Tx_FloatTensor:$x, UnitAttr:$causal),
    [Tx_Exact, Tx_Differentiable, Tx_ReducingKernel, Tx_VectorCost, SameOperandsAndResultType]> {
  let summary = "softmax over the last dimension, causal or not";
  let description = [{
    x [b,a,s,t]. If `causal`, row i takes part with its first i + 1 columns and the others become 0.

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
    (ins Tx_FloatTensor:$p, Tx_FloatTensor:$v, UnitAttr:$transposed, OptionalAttr<I64Attr>:$groups,
         DefaultValuedAttr<F64Attr, "1.0">:$scale),
    [Tx_Exact, Tx_Differentiable, Tx_Kernel, Tx_Gemm, Tx_MatrixCost, Tx_Inferred]> {
  let summary = "scale P V, by head";
  let description = [{
    p [b,a,s,t], v [b,t,a d] -> [b,s,a d]; if `transposed`, P^T: v [b,s,a d] -> [b,t,a d]. With `groups` g, v has g
    heads only, and a/g heads of p in a row share one; the result has all a. The gradients of scores by Q and K and of P
    V by V are this op too; where heads are shared, `tx.sum_head_groups` adds the gradients of those that share one.

    ```mlir
    %o = tx.attention_context %p, %v in <layer 0, "self_attention.core_attn"> : tensor<2x2x4x4xf32>, tensor<2x4x6xf32>
    %dv = tx.attention_context %p, %do transposed in <backward, layer 0, "self_attention.core_attn"> : tensor<2x2x4x4xf32>, tensor<2x4x6xf32>
    %grouped = tx.attention_context %p, %v1 groups 1 in <layer 0, "self_attention.core_attn"> : tensor<2x2x4x4xf32>, tensor<2x4x3xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$result);
  let assemblyFormat = [{
    $p `,` $v (`transposed` $transposed^)? (`groups` $groups^)? (`scale` $scale^)? `in` $scope attr-dict
    `:` type($p) `,` type($v)
  }];
}

def Tx_SumHeadGroupsOp : Tx_ComputeOp<"sum_head_groups", (ins Tx_FloatTensor:$x, I64Attr:$heads, I64Attr:$groups),
                                      [Tx_Exact, Tx_Kernel, Tx_VectorCost, Tx_Inferred]> {
  let summary = "the sums of the heads that share one";
  let description = [{
    x [b,t,a d] has a `heads` of width d; the result [b,t,g d] has g `groups`, each the sum of a/g heads in a row: the
    gradient by keys or values from the gradients of the heads that share them. Sums are in f32, in the order of heads,
    and rounded once.

    ```mlir
    %dk = tx.sum_head_groups %x heads 6 groups 2 in <backward, layer 0, "self_attention.core_attn"> : tensor<2x4x6xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$result);
  let assemblyFormat = "$x `heads` $heads `groups` $groups `in` $scope attr-dict `:` type($x)";
}

//===--------------------------------------------------------------------------------------------------------------===//
// In one op
//===--------------------------------------------------------------------------------------------------------------===//

def Tx_FlashAttentionOp : Tx_ComputeOp<"flash_attention",
    (ins Tx_FloatTensor:$q, Tx_FloatTensor:$k, Tx_FloatTensor:$v, Optional<Tx_I32Tensor>:$key, I64Attr:$heads,
         F64Attr:$scale, UnitAttr:$causal, DefaultValuedAttr<F64Attr, "0.0">:$probability),
    [Tx_Keyed, Tx_Differentiable, Tx_RandomInTraining, Tx_Kernel, Tx_MatrixCost, Tx_Inferred, Tx_Attention,
     AllTypesMatch<["k", "v"]>]> {
  let summary = "dropout(softmax(scale Q K^T)) V by head, without the scores in memory";
  let description = [{
    q [b,s,h], k and v [b,t,g d] with heads of width d = h/a -> o [b,s,h] and the log-sum-exp of each row of scores
    [b,a,s], in f32, which backward uses. With g < a key and value heads, a/g heads in a row share one. If `causal`,
    query i sees the first i + 1 keys. The FLOPs are those of the scores that are seen.

    Dropout is that of `tx.dropout` on the probabilities [b,a,s,t] in the same place: the same elements are dropped. Dao
    2023: "FlashAttention-2".

    ```mlir
    %o, %lse = tx.flash_attention %q, %k, %v heads 2 scale 0.5 causal in <layer 0, "self_attention.core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
    %o2, %lse2 = tx.flash_attention %q, %k, %v heads 2 scale 0.5 dropout %key p 0.1 in <layer 1, "self_attention.core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<4xi32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$result, Tx_F32Tensor:$lse);
  let assemblyFormat = [{
    $q `,` $k `,` $v `heads` $heads `scale` $scale (`causal` $causal^)? (`dropout` $key^ `p` $probability)?
    `in` $scope attr-dict `:` type($q) `,` type($k) (`,` type($key)^)?
  }];
  let extraClassDeclaration = [{
    /// Queries, or keys, of a tile.
    static constexpr int64_t kTile = 64;
    ::llvm::StringRef getResultLabel(unsigned number) { return number == 0 ? "" : "lse"; }
  }];
}

def Tx_FlashAttentionGradOp : Tx_ComputeOp<"flash_attention_grad",
    (ins Tx_FloatTensor:$dy, Tx_FloatTensor:$q, Tx_FloatTensor:$k, Tx_FloatTensor:$v, Tx_FloatTensor:$y,
         Tx_F32Tensor:$lse, Optional<Tx_I32Tensor>:$key, I64Attr:$heads, F64Attr:$scale, UnitAttr:$causal,
         DefaultValuedAttr<F64Attr, "0.0">:$probability),
    [Tx_KeyedGrad, Tx_Kernel, Tx_MatrixCost, Tx_Attention, AllTypesMatch<["q", "dq", "dy", "y"]>,
     AllTypesMatch<["k", "v", "dk", "dv"]>]> {
  let summary = "the gradients of `tx.flash_attention` by Q, K and V";
  let description = [{
    Takes o and its log-sum-exp from forward and computes scores and probabilities again. The log-sum-exp is one f32 (4
    b a s bytes, as in FlashAttention), so all probabilities of a row are off by one factor, exp(d) with |d| <= 2^-21
    |lse| + 2^-20: 1 in 2000 where scores are near 1000, nothing that f32 shows where they are near 1.

    With P after and S before the softmax, M the mask of dropout, the row sums D = sum(dO * O): dV = (P M)^T dO, dP = M
    dO V^T, dS = P (dP - D), dQ = scale dS K, dK = scale dS^T Q.

    ```mlir
    %dq, %dk, %dv = tx.flash_attention_grad %do, %q, %k, %v, %o, %lse heads 2 scale 0.5 causal in <backward, layer 0, "self_attention.core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<2x2x4xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$dq, Tx_FloatTensor:$dk, Tx_FloatTensor:$dv);
  let assemblyFormat = [{
    $dy `,` $q `,` $k `,` $v `,` $y `,` $lse `heads` $heads `scale` $scale (`causal` $causal^)?
    (`dropout` $key^ `p` $probability)? `in` $scope attr-dict
    `:` type($q) `,` type($k) `,` type($lse) (`,` type($key)^)?
  }];
}

#endif // TX_ATTENTION_OPS_TD
