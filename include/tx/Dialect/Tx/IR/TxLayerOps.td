//===- TxLayerOps.td - Embedding, linear, activation, views ----------------------------------------*- tablegen -*-===//

#ifndef TX_LAYER_OPS_TD
#define TX_LAYER_OPS_TD

include "tx/Dialect/Tx/IR/TxBase.td"

//===--------------------------------------------------------------------------------------------------------------===//
// Embedding
//===--------------------------------------------------------------------------------------------------------------===//

def Tx_EmbeddingOp : Tx_ComputeOp<"embedding",
    (ins Tx_I32Tensor:$tokens, Tx_FloatTensor:$table),
    [Tx_Exact, Tx_Differentiable, Tx_IdReading, Tx_TableKernel, Tx_VectorCost, Tx_Inferred]> {
  let summary = "rows of a table, chosen by token ids";
  let description = [{
    tokens [b,s] in [0,v), table [v,h] -> [b,s,h].

    ```mlir
    %x = tx.embedding %tokens, %table in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$result);
  let assemblyFormat = "$tokens `,` $table `in` $scope attr-dict `:` type($tokens) `,` type($table)";
}

def Tx_EmbeddingWeightGradOp : Tx_ComputeOp<"embedding_weight_grad",
    (ins Tx_I32Tensor:$tokens, Tx_FloatTensor:$dy, Tx_F32Tensor:$acc, Optional<Tx_Bit>:$reset),
    [Tx_Resettable, Tx_IdReading, Tx_Kernel, Tx_Scattering, AllTypesMatch<["acc", "result"]>]> {
  let summary = "adds the gradient of `tx.embedding` to its table's gradient";
  let description = [{
    acc[tokens[i]] += dy[i], in the order of the tokens.

    ```mlir
    %g = tx.embedding_weight_grad %tokens, %dy into %acc in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$result);
  let assemblyFormat = [{
    $tokens `,` $dy `into` $acc (`reset` $reset^)? `in` $scope attr-dict
    `:` type($tokens) `,` type($dy) `,` type($acc) (`,` type($reset)^)?
  }];
}

def Tx_AddPositionsOp : Tx_ComputeOp<"add_positions",
    (ins Tx_FloatTensor:$x, Tx_FloatTensor:$table),
    [Tx_Exact, Tx_Differentiable, Tx_InPlaceTableKernel, Tx_ElementCost, AllTypesMatch<["x", "result"]>]> {
  let summary = "adds learned positions";
  let description = [{
    x [b,s,h] + table [p,h] row s, for p >= s.

    ```mlir
    %y = tx.add_positions %x, %table in <"embedding"> : tensor<2x4x6xf32>, tensor<8x6xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$result);
  let assemblyFormat = "$x `,` $table `in` $scope attr-dict `:` type($x) `,` type($table)";
}

def Tx_PositionWeightGradOp : Tx_ComputeOp<"position_weight_grad",
    (ins Tx_FloatTensor:$dy, Tx_F32Tensor:$acc, Optional<Tx_Bit>:$reset),
    [Tx_Resettable, Tx_Kernel, Tx_Scattering, AllTypesMatch<["acc", "result"]>]> {
  let summary = "adds the gradient of `tx.add_positions` to its table's gradient";
  let description = [{
    acc[t] += sum over b of dy[b,t].

    ```mlir
    %g = tx.position_weight_grad %dy into %acc in <backward, "embedding"> : tensor<2x4x6xf32>, tensor<8x6xf32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$result);
  let assemblyFormat = [{
    $dy `into` $acc (`reset` $reset^)? `in` $scope attr-dict
    `:` type($dy) `,` type($acc) (`,` type($reset)^)?
  }];
}

//===--------------------------------------------------------------------------------------------------------------===//
// Linear
//===--------------------------------------------------------------------------------------------------------------===//

def Tx_LinearOp : Tx_ComputeOp<"linear",
    (ins Tx_FloatTensor:$x, Tx_FloatTensor:$weight, Optional<Tx_FloatTensor>:$bias, UnitAttr:$transposed),
    [Tx_Exact, Tx_Differentiable, Tx_Kernel, Tx_Gemm, Tx_MatrixCost]> {
  let summary = "y = x weight + bias";
  let description = [{
    x [..., k], weight [k,n] (GPT-2's Conv1D) or, if `transposed`, [n,k] (torch.nn.Linear and tied heads), bias [n] ->
    [..., n]. The bias is the accumulator's first value. The result may be of a wider type than x; its gradient is then
    rounded to x's type, since a product takes operands of one.

    ```mlir
    %y = tx.linear %x, %w bias %b in <layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<6x8xf32>, tensor<8xf32> -> tensor<2x4x8xf32>
    %z = tx.linear %x, %t transposed in <"output_layer"> : tensor<2x4x6xf32>, tensor<7x6xf32> -> tensor<2x4x7xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$y);
  let assemblyFormat = [{
    $x `,` $weight (`transposed` $transposed^)? (`bias` $bias^)? `in` $scope attr-dict
    `:` type($x) `,` type($weight) (`,` type($bias)^)? `->` type($y)
  }];
}

def Tx_LinearInputGradOp : Tx_ComputeOp<"linear_input_grad",
    (ins Tx_FloatTensor:$dy, Tx_FloatTensor:$weight, UnitAttr:$transposed),
    [Tx_Exact, Tx_Kernel, Tx_Gemm, Tx_GradientCost]> {
  let summary = "dx = dy weight^T";
  let description = [{
    dy [..., n], weight as in `tx.linear` -> [..., k].

    ```mlir
    %dx = tx.linear_input_grad %dy, %w in <backward, layer 0, "mlp.fc1"> : tensor<2x4x8xf32>, tensor<6x8xf32> -> tensor<2x4x6xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$dx);
  let assemblyFormat = [{
    $dy `,` $weight (`transposed` $transposed^)? `in` $scope attr-dict
    `:` type($dy) `,` type($weight) `->` type($dx)
  }];
}

def Tx_LinearWeightGradOp : Tx_ComputeOp<"linear_weight_grad",
    (ins Tx_FloatTensor:$x, Tx_FloatTensor:$dy, Tx_F32Tensor:$acc, Optional<Tx_Bit>:$reset, UnitAttr:$transposed),
    [Tx_Resettable, Tx_Kernel, Tx_SummingGemm, Tx_GradientCost, AllTypesMatch<["acc", "result"]>]> {
  let summary = "acc += x^T dy";
  let description = [{
    x [..., k], dy [..., n], acc [k,n], or [n,k] if `transposed`. One matrix product for the first and for later
    microbatches.

    `sums` [n] are those of dy's rows, for the bias's gradient, from the library that multiplies: tx-fuse-epilogues asks
    for them where a target's library has them.

    ```mlir
    %g = tx.linear_weight_grad %x, %dy into %acc in <backward, layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<2x4x8xf32>, tensor<6x8xf32>
    %h, %sums = tx.linear_weight_grad %x, %dy into %g in <backward, layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<2x4x8xf32>, tensor<6x8xf32> sums tensor<8xf32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$result, Optional<Tx_F32Tensor>:$sums);
  let assemblyFormat = [{
    $x `,` $dy `into` $acc (`transposed` $transposed^)? (`reset` $reset^)? `in` $scope attr-dict
    `:` type($x) `,` type($dy) `,` type($acc) (`,` type($reset)^)? (`sums` type($sums)^)?
  }];
}

def Tx_BiasGradOp : Tx_ComputeOp<"bias_grad",
    (ins Tx_FloatTensor:$dy, Tx_F32Tensor:$acc, Optional<Tx_Bit>:$reset),
    [Tx_Resettable, Tx_Kernel, Tx_RowSum, AllTypesMatch<["acc", "result"]>]> {
  let summary = "acc += sum of dy over all but the last dimension";
  let description = [{
    dy [..., n], acc [n].

    ```mlir
    %g = tx.bias_grad %dy into %acc in <backward, layer 0, "mlp.fc1"> : tensor<2x4x8xf32>, tensor<8xf32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$result);
  let assemblyFormat = [{
    $dy `into` $acc (`reset` $reset^)? `in` $scope attr-dict `:` type($dy) `,` type($acc) (`,` type($reset)^)?
  }];
}

def Tx_BroadcastRowsOp : Tx_ComputeOp<"broadcast_rows", (ins Tx_FloatTensor:$row),
    [Tx_Exact, Tx_Kernel]> {
  let summary = "a row, repeated";
  let description = [{
    row [n] -> [..., n]. Lowerings use it to give a product its bias.

    ```mlir
    %y = tx.broadcast_rows %b in <layer 0, "mlp.fc1"> : tensor<8xf32> -> tensor<2x4x8xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$result);
  let assemblyFormat = "$row `in` $scope attr-dict `:` type($row) `->` type($result)";
}

//===--------------------------------------------------------------------------------------------------------------===//
// Elementwise
//===--------------------------------------------------------------------------------------------------------------===//

def Tx_AddOp : Tx_ComputeOp<"add", (ins Tx_FloatTensor:$lhs, Tx_FloatTensor:$rhs),
    [Tx_Exact, Tx_Differentiable, Tx_InPlaceKernel, Tx_ElementCost, Commutative, SameOperandsAndResultType]> {
  let summary = "lhs + rhs: residual connections, sums of gradients";
  let description = [{
    ```mlir
    %y = tx.add %x, %r in <layer 0, "residual"> : tensor<2x4x6xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$result);
  let assemblyFormat = "$lhs `,` $rhs `in` $scope attr-dict `:` type($result)";
}

def Tx_CastOp : Tx_ComputeOp<"cast", (ins Tx_FloatTensor:$x),
    [Tx_Exact, Tx_Differentiable, Tx_Kernel, Tx_ElementCost]> {
  let summary = "the same numbers in another type, rounded to nearest even";
  let description = [{
    In x's own type it is a copy, for what wants its numbers in a place of their own. Fusion puts it into the kernel
    that computes x, so that the wider numbers never reach memory unless something else reads them.

    ```mlir
    %y = tx.cast %x in <backward, "output_layer"> : tensor<2x4x7xf32> to tensor<2x4x7xbf16>
    ```
  }];
  let results = (outs Tx_FloatTensor:$y);
  let assemblyFormat = "$x `in` $scope attr-dict `:` type($x) `to` type($y)";
}

def Tx_GeluOp : Tx_ComputeOp<"gelu", (ins Tx_FloatTensor:$x),
    [Tx_Exact, Tx_Differentiable, Tx_InPlaceKernel, Tx_VectorCost, SameOperandsAndResultType]> {
  let summary = "GELU, tanh form";
  let description = [{
    y = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).

    ```mlir
    %y = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$y);
  let assemblyFormat = "$x `in` $scope attr-dict `:` type($y)";
}

def Tx_GeluGradOp : Tx_ComputeOp<"gelu_grad", (ins Tx_FloatTensor:$dy, Tx_FloatTensor:$x),
    [Tx_Exact, Tx_InPlaceKernel, Tx_VectorCost, SameOperandsAndResultType]> {
  let summary = "the gradient of `tx.gelu`";
  let description = [{
    ```mlir
    %dx = tx.gelu_grad %dy, %x in <backward, layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$dx);
  let assemblyFormat = "$dy `,` $x `in` $scope attr-dict `:` type($dx)";
}

def Tx_SwigluOp
    : Tx_ComputeOp<"swiglu", (ins Tx_FloatTensor:$gate, Tx_FloatTensor:$up),
                   [Tx_Exact, Tx_Differentiable, Tx_InPlaceKernel, Tx_VectorCost, SameOperandsAndResultType]> {
  let summary = "silu(gate) * up";
  let description = [{
    y = up * gate / (1 + exp(-gate)), rounded once (Shazeer 2020: "GLU Variants Improve Transformer"). Gate and up are
    two products or two slices of one.

    ```mlir
    %y = tx.swiglu %gate, %up in <layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$y);
  let assemblyFormat = "$gate `,` $up `in` $scope attr-dict `:` type($y)";
}

def Tx_SwigluGradOp : Tx_ComputeOp<"swiglu_grad", (ins Tx_FloatTensor:$dy, Tx_FloatTensor:$gate, Tx_FloatTensor:$up),
                                   [Tx_Exact, Tx_InPlaceKernel, Tx_VectorCost, SameOperandsAndResultType]> {
  let summary = "the gradients of `tx.swiglu` by gate and up";
  let description = [{
    With s = 1 / (1 + exp(-gate)): dgate = dy * up * s * (1 + gate * (1 - s)), dup = dy * gate * s.

    ```mlir
    %dgate, %dup = tx.swiglu_grad %dy, %gate, %up in <backward, layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$dgate, Tx_FloatTensor:$dup);
  let assemblyFormat = "$dy `,` $gate `,` $up `in` $scope attr-dict `:` type($dgate)";
}

def Tx_DropoutOp : Tx_ComputeOp<"dropout",
    (ins Tx_FloatTensor:$x, Tx_I32Tensor:$key, F64Attr:$probability),
    [Tx_Keyed, Tx_Differentiable, Tx_EvaluatedAs, Tx_InPlaceKernel, Tx_VectorCost, AllTypesMatch<["x", "result"]>]> {
  let summary = "zeroes elements at random, scales the others by 1/(1-p)";
  let description = [{
    x [b, ..., n]; key [4] = (seed low, seed high, global index of the microbatch's first sample, 0). An element is
    dropped when its random word is below p 2^32. The word is a function of the seed, of the sample, of the site (layer
    and module path) and of the element's place alone, so the mask is never stored, its gradient is the same op on dy,
    and a clone drops the same elements:

    Philox4x32-10 with key (seed low, seed high) and counter (16 (c/64) + c%16, row in the sample, sample, site hash);
    the element in column c takes word (c/16)%4.

    ```mlir
    %y = tx.dropout %x, %key p 0.1 in <layer 0, "residual"> : tensor<2x4x6xf32>, tensor<4xi32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$result);
  let assemblyFormat = "$x `,` $key `p` $probability `in` $scope attr-dict `:` type($x) `,` type($key)";
  let hasFolder = 1;
}

def Tx_ZerosOp : Tx_ComputeOp<"zeros", (ins), [Tx_Exact, Tx_Kernel]> {
  let summary = "0 everywhere: the gradient of columns that nothing uses";
  let description = [{
    ```mlir
    %z = tx.zeros in <backward, layer 0, "self_attention.qkv"> : tensor<2x4x6xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$result);
  let assemblyFormat = "`in` $scope attr-dict `:` type($result)";
}

//===--------------------------------------------------------------------------------------------------------------===//
// Views
//===--------------------------------------------------------------------------------------------------------------===//

def Tx_SliceOp : Tx_ComputeOp<"slice", (ins Tx_FloatTensor:$whole, I64Attr:$offset, I64Attr:$size),
    [Tx_Exact, Tx_Differentiable, Tx_Kernel, Tx_View, Tx_Inferred]> {
  let summary = "some columns of a tensor, without a copy";
  let description = [{
    whole [..., n] -> [..., size]. Slices of a tensor may overlap and need not cover it; columns that none of them has
    get a gradient of 0.

    ```mlir
    %k = tx.slice %qkv 6 size 6 in <layer 0, "self_attention.qkv"> : tensor<2x4x18xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$part);
  let assemblyFormat = "$whole $offset `size` $size `in` $scope attr-dict `:` type($whole)";
}

def Tx_ConcatOp : Tx_ComputeOp<"concat", (ins Variadic<Tx_FloatTensor>:$parts),
    [Tx_Exact, Tx_Differentiable, Tx_Kernel, Tx_View, Tx_Inferred]> {
  let summary = "tensors side by side, without a copy: parts are written in place";
  let description = [{
    A part that lies elsewhere already (an argument, a slice, a part of another tensor) is copied.

    ```mlir
    %dqkv = tx.concat %dq, %dk, %dv in <backward, layer 0, "self_attention.qkv"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<2x4x6xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$whole);
  let assemblyFormat = "$parts `in` $scope attr-dict `:` type($parts)";
}

def Tx_SliceRowsOp : Tx_ComputeOp<"slice_rows", (ins Tx_AnyTensor:$whole, I64Attr:$offset),
    [Tx_Exact, Tx_ContiguousKernel, Tx_RunsView]> {
  let summary = "some rows of a tensor, without a copy";
  let description = [{
    The tensor counts as rows of the result's shape without its first dimension: [b,s,h] as b s rows of h elements, or
    [b,s] as b s numbers. The result has those from `offset` on.

    ```mlir
    %part = tx.slice_rows %x 2 in <"output_layer"> : tensor<2x4x6xf32> -> tensor<3x6xf32>
    %some = tx.slice_rows %targets 2 in <"loss"> : tensor<2x4xi32> -> tensor<3xi32>
    ```
  }];
  let results = (outs Tx_AnyTensor:$part);
  let assemblyFormat = "$whole $offset `in` $scope attr-dict `:` type($whole) `->` type($part)";
}

def Tx_ConcatRowsOp : Tx_ComputeOp<"concat_rows", (ins Variadic<Tx_FloatTensor>:$parts),
    [Tx_Exact, Tx_Kernel, Tx_RunsView]> {
  let summary = "rows of tensors one behind another, without a copy: parts are written in place";
  let description = [{
    A part that lies elsewhere already (an argument, a slice, a part of another tensor) is copied. What counts as a row
    is as in `tx.slice_rows`; the result may have any shape of these rows.

    ```mlir
    %dx = tx.concat_rows %a, %b in <"output_layer"> : tensor<5x6xf32>, tensor<3x6xf32> -> tensor<2x4x6xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$whole);
  let assemblyFormat = "$parts `in` $scope attr-dict `:` type($parts) `->` type($whole)";
}

def Tx_SelectRowsOp : Tx_ComputeOp<"select_rows", (ins Tx_FloatTensor:$x, Tx_I32Tensor:$rows),
    [Tx_Exact, Tx_IdReading, Tx_TableKernel, Tx_VectorCost, Tx_Inferred]> {
  let summary = "one row of each sample, chosen by its number";
  let description = [{
    x [b,s,h], rows [b] in [0,s) -> [b,h]: the rows that are predicted from when text is sampled.

    ```mlir
    %last = tx.select_rows %x, %rows in <"output_layer"> : tensor<2x4x6xf32>, tensor<2xi32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$result);
  let assemblyFormat = "$x `,` $rows `in` $scope attr-dict `:` type($x) `,` type($rows)";
}

def Tx_PackOp : Tx_ComputeOp<"pack", (ins Variadic<Tx_FloatTensor>:$parts),
    [Tx_Kernel, Tx_StateView, Tx_Inferred]> {
  let summary = "pieces of state one behind another as one row, without a copy";
  let description = [{
    Each part starts at the next multiple of 64 elements, and the row ends at one; what is between is zero. So the
    optimizer is one kernel for many parameters, and packs of different types (weights, their f32 master, moments,
    gradients) have one order. Parts are loaded, or continue what was loaded in place: state is laid out for its packs,
    and no two may want it in different orders.

    ```mlir
    %g = tx.pack %gw, %gb in <optimizer, "adamw"> : tensor<8x4xf32>, tensor<6xf32> -> tensor<128xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$whole);
  let assemblyFormat = "$parts `in` $scope attr-dict `:` type($parts) `->` type($whole)";
}

def Tx_UnpackOp : Tx_ComputeOp<"unpack", (ins Tx_FloatTensor:$whole), [Tx_Kernel, Tx_RunsView]> {
  let summary = "the parts of a `tx.pack`";
  let description = [{
    ```mlir
    %w1, %b1 = tx.unpack %new in <optimizer, "adamw"> : tensor<128xf32> -> tensor<8x4xf32>, tensor<6xf32>
    ```
  }];
  let results = (outs Variadic<Tx_FloatTensor>:$parts);
  let assemblyFormat = "$whole `in` $scope attr-dict `:` type($whole) `->` type($parts)";
}

#endif // TX_LAYER_OPS_TD
