//===- TxNormOps.td - Layer norm and RMS norm ------------------------------------------------------*- tablegen -*-===//

#ifndef TX_NORM_OPS_TD
#define TX_NORM_OPS_TD

include "tx/Dialect/Tx/IR/TxBase.td"

//===--------------------------------------------------------------------------------------------------------------===//
// Layer norm
//===--------------------------------------------------------------------------------------------------------------===//

def Tx_LayerNormOp : Tx_ComputeOp<"layer_norm",
    (ins Tx_FloatTensor:$x, Tx_FloatTensor:$weight, Tx_FloatTensor:$bias, F64Attr:$eps),
    [Tx_Exact, Tx_Differentiable, Tx_ReducingKernel, Tx_VectorCost, Tx_Inferred, AllTypesMatch<["weight", "bias"]>]> {
  let summary = "layer norm over the last dimension, with its statistics";
  let description = [{
    y = (x - mean) * rstd * weight + bias; mean and rstd = 1/sqrt(var + eps) are f32 and have x's shape without the last
    dimension. The variance is the biased one, computed in a second pass over the row.

    ```mlir
    %y, %mean, %rstd = tx.layer_norm %x, %w, %b eps 1.0e-5 in <layer 0, "layernorm.input"> : tensor<2x4x6xf32>, tensor<6xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$y, Tx_F32Tensor:$mean, Tx_F32Tensor:$rstd);
  let extraClassDeclaration = [{
    ::llvm::StringRef getResultLabel(unsigned number) { return number == 0 ? "" : number == 1 ? "mean" : "rstd"; }
  }];
  let assemblyFormat = [{
    $x `,` $weight `,` $bias `eps` $eps `in` $scope attr-dict `:` type($x) `,` type($weight)
  }];
}

def Tx_LayerNormInputGradOp : Tx_ComputeOp<"layer_norm_input_grad",
    (ins Tx_FloatTensor:$dy, Tx_FloatTensor:$x, Tx_FloatTensor:$weight, Tx_F32Tensor:$mean, Tx_F32Tensor:$rstd),
    [Tx_Exact, Tx_ReducingKernel, Tx_VectorCost, AllTypesMatch<["dy", "x", "dx"]>,
     AllTypesMatch<["mean", "rstd"]>]> {
  let summary = "the gradient of `tx.layer_norm` by its input";
  let description = [{
    With g = dy * weight and n = (x - mean) * rstd: dx = rstd * (g - avg(g) - n * avg(g * n)), averages over the row.

    ```mlir
    %dx = tx.layer_norm_input_grad %dy, %x, %w, %mean, %rstd in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xf32>, tensor<6xf32>, tensor<2x4xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$dx);
  let assemblyFormat = [{
    $dy `,` $x `,` $weight `,` $mean `,` $rstd `in` $scope attr-dict `:` type($dy) `,` type($weight) `,` type($mean)
  }];
}

def Tx_LayerNormWeightGradOp : Tx_ComputeOp<"layer_norm_weight_grad",
    (ins Tx_FloatTensor:$dy, Tx_FloatTensor:$x, Tx_F32Tensor:$mean, Tx_F32Tensor:$rstd,
         Tx_F32Tensor:$weight_acc, Optional<Tx_F32Tensor>:$bias_acc, Optional<Tx_Bit>:$reset),
    [Tx_Resettable, Tx_Kernel, Tx_PartialSums, Tx_VectorCost, Tx_Inferred, AttrSizedOperandSegments,
     AllTypesMatch<["dy", "x"]>, AllTypesMatch<["mean", "rstd"]>]> {
  let summary = "adds the gradients of `tx.layer_norm` by its weight and bias to theirs";
  let description = [{
    weight_acc += sum over rows of dy * (x - mean) * rstd; bias_acc += sum over rows of dy. Without bias_acc that of the
    weight alone: the bias is no parameter, or has its sum from `tx.bias_grad`.

    ```mlir
    %gw, %gb = tx.layer_norm_weight_grad %dy, %x, %mean, %rstd into %accw, %accb in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xf32>, tensor<2x4xf32>, tensor<6xf32>, tensor<6xf32>
    %hw = tx.layer_norm_weight_grad %dy, %x, %mean, %rstd into %gw in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xf32>, tensor<2x4xf32>, tensor<6xf32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$weight_grad, Optional<Tx_F32Tensor>:$bias_grad);
  let assemblyFormat = [{
    $dy `,` $x `,` $mean `,` $rstd `into` $weight_acc (`,` $bias_acc^)? (`reset` $reset^)? `in` $scope attr-dict
    `:` type($dy) `,` type($mean) `,` type($weight_acc) (`,` type($bias_acc)^)? (`reset` type($reset)^)?
  }];
}

def Tx_LayerNormPartialGradOp : Tx_ComputeOp<"layer_norm_partial_grad",
    (ins Tx_FloatTensor:$dy, Tx_FloatTensor:$x, Tx_F32Tensor:$mean, Tx_F32Tensor:$rstd),
    [Tx_SharingKernel, Tx_VectorCost, AllTypesMatch<["dy", "x"]>, AllTypesMatch<["mean", "rstd"]>,
     AllTypesMatch<["weight_parts", "bias_parts"]>]> {
  let summary = "the gradients of `tx.layer_norm` by its weight and bias, in parts";
  let description = [{
    Row p of the results are the sums of `tx.layer_norm_weight_grad` over the p-th of equal parts of the rows (the last
    may be shorter), from its first row on.

    ```mlir
    %pw, %pb = tx.layer_norm_partial_grad %dy, %x, %mean, %rstd in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xf32>, tensor<2x4xf32> -> tensor<4x6xf32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$weight_parts, Tx_F32Tensor:$bias_parts);
  let extraClassDeclaration = [{
    /// Of a part; the last may have fewer.
    int64_t getRowsOfPart();
  }];
  let assemblyFormat = [{
    $dy `,` $x `,` $mean `,` $rstd `in` $scope attr-dict
    `:` type($dy) `,` type($mean) `->` type($weight_parts)
  }];
}

def Tx_AddPartsOp : Tx_ComputeOp<"add_parts",
    (ins Variadic<Tx_F32Tensor>:$parts, Variadic<Tx_F32Tensor>:$accs, Optional<Tx_Bit>:$reset),
    [Tx_Resettable, Tx_Kernel, Tx_Inferred, AttrSizedOperandSegments]> {
  let summary = "each acc += the sum of its parts, which are rows";
  let description = [{
    The second half of sums over rows that were had in parts. All parts are of one type, and all accumulators.

    ```mlir
    %gw, %gb = tx.add_parts %pw, %pb into %accw, %accb in <backward, layer 0, "layernorm.input"> : tensor<4x6xf32>, tensor<4x6xf32> into tensor<6xf32>, tensor<6xf32>
    ```
  }];
  let results = (outs Variadic<Tx_F32Tensor>:$results);
  let assemblyFormat = [{
    $parts `into` $accs (`reset` $reset^)? `in` $scope attr-dict
    `:` type($parts) `into` type($accs) (`reset` type($reset)^)?
  }];
}

//===--------------------------------------------------------------------------------------------------------------===//
// RMS norm
//===--------------------------------------------------------------------------------------------------------------===//

def Tx_RmsNormOp : Tx_ComputeOp<"rms_norm",
                                (ins Tx_FloatTensor:$x, Tx_FloatTensor:$weight, F64Attr:$eps,
                                    DefaultValuedAttr<I64Attr, "1">:$heads, DefaultValuedAttr<I64Attr, "0">:$offset),
                                [Tx_Exact, Tx_Differentiable, Tx_ReducingKernel, Tx_VectorCost, Tx_Inferred]> {
  let summary = "RMS norm over whole rows or over each head of a row, with its statistic";
  let description = [{
    y = x * rstd * (weight + offset), rounded once; rstd = 1/sqrt(mean(x^2) + eps) is f32 (Zhang and Sennrich 2019). x
    [..., h], weight [h / heads]: each of the row's `heads` parts is normalized by itself (QK norm). rstd has x's shape
    without the last dimension; of several heads it has one number for each, [..., heads]. `offset` is 0, or 1 for
    weights that start at 0 (Gemma, Megatron's layernorm-1p).

    ```mlir
    %y, %rstd = tx.rms_norm %x, %w eps 1.0e-5 in <layer 0, "layernorm.input"> : tensor<2x4x6xf32>, tensor<6xf32>
    %z, %rstd2 = tx.rms_norm %x, %v eps 1.0e-6 heads 3 offset 1 in <layer 0, "self_attention.qk_norm"> : tensor<2x4x6xf32>, tensor<2xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$y, Tx_F32Tensor:$rstd);
  let extraClassDeclaration = [{
    ::llvm::StringRef getResultLabel(unsigned number) { return number == 0 ? "" : "rstd"; }
  }];
  let assemblyFormat = [{
    $x `,` $weight `eps` $eps (`heads` $heads^)? (`offset` $offset^)? `in` $scope attr-dict
    `:` type($x) `,` type($weight)
  }];
}

def Tx_RmsNormInputGradOp
    : Tx_ComputeOp<"rms_norm_input_grad",
                   (ins Tx_FloatTensor:$dy, Tx_FloatTensor:$x, Tx_FloatTensor:$weight, Tx_F32Tensor:$rstd,
                       DefaultValuedAttr<I64Attr, "1">:$heads, DefaultValuedAttr<I64Attr, "0">:$offset),
                   [Tx_Exact, Tx_ReducingKernel, Tx_VectorCost, AllTypesMatch<["dy", "x", "dx"]>]> {
  let summary = "the gradient of `tx.rms_norm` by its input";
  let description = [{
    With u = dy * (weight + offset) and n = x * rstd: dx = rstd * (u - n * mean(u * n)), means over the row or the head.

    ```mlir
    %dx = tx.rms_norm_input_grad %dy, %x, %w, %rstd in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xf32>, tensor<6xf32>, tensor<2x4xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$dx);
  let assemblyFormat = [{
    $dy `,` $x `,` $weight `,` $rstd (`heads` $heads^)? (`offset` $offset^)? `in` $scope attr-dict
    `:` type($dy) `,` type($weight) `,` type($rstd)
  }];
}

def Tx_RmsNormWeightGradOp
    : Tx_ComputeOp<"rms_norm_weight_grad",
                   (ins Tx_FloatTensor:$dy, Tx_FloatTensor:$x, Tx_F32Tensor:$rstd, Tx_F32Tensor:$acc,
                       Optional<Tx_Bit>:$reset, DefaultValuedAttr<I64Attr, "1">:$heads),
                   [Tx_Resettable, Tx_Kernel, Tx_VectorCost, AllTypesMatch<["dy", "x"]>,
                    AllTypesMatch<["acc", "result"]>]> {
  let summary = "adds the gradient of `tx.rms_norm` by its weight to the weight's gradient";
  let description = [{
    acc += sum over rows (and heads) of dy * x * rstd.

    ```mlir
    %g = tx.rms_norm_weight_grad %dy, %x, %rstd into %acc in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xf32>, tensor<2x4xf32>, tensor<6xf32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$result);
  let assemblyFormat = [{
    $dy `,` $x `,` $rstd `into` $acc (`reset` $reset^)? (`heads` $heads^)? `in` $scope attr-dict
    `:` type($dy) `,` type($rstd) `,` type($acc) (`,` type($reset)^)?
  }];
}

#endif // TX_NORM_OPS_TD
