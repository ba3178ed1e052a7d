//===- TxTrainingOps.td - Loss and optimizer -------------------------------------------------------*- tablegen -*-===//

#ifndef TX_TRAINING_OPS_TD
#define TX_TRAINING_OPS_TD

include "tx/Dialect/Tx/IR/TxBase.td"

//===--------------------------------------------------------------------------------------------------------------===//
// Loss
//===--------------------------------------------------------------------------------------------------------------===//

def Tx_CrossEntropyOp : Tx_ComputeOp<"cross_entropy",
    (ins Tx_FloatTensor:$logits, Tx_I32Tensor:$targets, I64Attr:$ignore_index),
    [Tx_Exact, Tx_Differentiable, Tx_Predicting, Tx_IdReading, Tx_ReducingKernel, Tx_VectorCost, Tx_Inferred]> {
  let summary = "each token's negative log-likelihood, with the statistics of its softmax";
  let description = [{
    logits [b,s,v], targets [b,s] -> losses [b,s] f32 (0 where the target is the ignore index), statistics [b,s,2] f32:
    the row's maximum m and its sum of exp(logits - m). They stay two numbers, since a log-sum-exp of large logits has
    no digits left for the sum.

    ```mlir
    %losses, %stats = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x4x7xf32>, tensor<2x4xi32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$losses, Tx_F32Tensor:$statistics);
  let extraClassDeclaration = [{
    ::llvm::StringRef getResultLabel(unsigned number) { return number == 0 ? "" : "statistics"; }
  }];
  let assemblyFormat = [{
    $logits `,` $targets `ignore` $ignore_index `in` $scope attr-dict `:` type($logits) `,` type($targets)
  }];
}

def Tx_CrossEntropyGradOp : Tx_ComputeOp<"cross_entropy_grad",
    (ins Tx_F32Tensor:$dlosses, Tx_FloatTensor:$logits, Tx_I32Tensor:$targets, Tx_F32Tensor:$statistics,
         I64Attr:$ignore_index),
    [Tx_Exact, Tx_IdReading, Tx_InPlaceKernel, Tx_VectorCost, AllTypesMatch<["logits", "dlogits"]>,
     TypesMatchWith<"the statistics are two numbers for each loss", "dlosses", "statistics",
                    "::tx::detail::pairsOf($_self)">]> {
  let summary = "the gradient of `tx.cross_entropy` by the logits";
  let description = [{
    With (m, sum) of the row's statistics and e = exp(logits - m): dlogits = (e - onehot(target) sum) * (dlosses / sum),
    0 for ignored rows. The target's difference is taken before the division, so it has the digits of the sum.

    ```mlir
    %dlogits = tx.cross_entropy_grad %dl, %logits, %targets, %stats ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x7xf32>, tensor<2x4xi32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$dlogits);
  let assemblyFormat = [{
    $dlosses `,` $logits `,` $targets `,` $statistics `ignore` $ignore_index `in` $scope attr-dict
    `:` type($dlosses) `,` type($logits) `,` type($targets)
  }];
}

def Tx_ReduceLossOp : Tx_ComputeOp<"reduce_loss",
    (ins Tx_F32Tensor:$losses, Tx_I32Tensor:$targets, I64Attr:$ignore_index),
    [Tx_Differentiable, Tx_IdReading, Tx_ReducingKernel, Tx_VectorCost, Tx_Inferred,
     DeclareOpInterfaceMethods<Tx_RecomputeOpInterface, ["getReplayKind"]>]> {
  let summary = "the microbatch's loss: sum and count of valid tokens";
  let description = [{
    The last op of forward: what is alive after it is what a step saves.

    ```mlir
    %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$sum, Tx_F32Tensor:$count);
  let assemblyFormat = [{
    $losses `,` $targets `ignore` $ignore_index `in` $scope attr-dict `:` type($losses) `,` type($targets)
  }];
}

def Tx_ReduceLossGradOp : Tx_ComputeOp<"reduce_loss_grad",
    (ins Tx_F32Tensor:$dsum, Tx_I32Tensor:$targets, I64Attr:$ignore_index),
    [Tx_Exact, Tx_IdReading, Tx_Kernel, Tx_Inferred]> {
  let summary = "the gradient of `tx.reduce_loss` by the losses";
  let description = [{
    dlosses [b,s] = dsum, but 0 where the target is the ignore index: what `tx.reduce_loss` leaves out has no influence,
    whatever computed it.

    ```mlir
    %dl = tx.reduce_loss_grad %loss_scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$dlosses);
  let assemblyFormat = [{
    $dsum `,` $targets `ignore` $ignore_index `in` $scope attr-dict `:` type($dsum) `,` type($targets)
  }];
}

def Tx_LinearCrossEntropyOp : Tx_ComputeOp<"linear_cross_entropy",
    (ins Tx_FloatTensor:$x, Tx_FloatTensor:$weight, Tx_I32Tensor:$targets, UnitAttr:$transposed, I64Attr:$ignore_index,
         StrAttr:$head),
    [Tx_Never, Tx_Differentiable, Tx_PredictingInside, Tx_IdReading, Tx_Expandable, Tx_MatrixCost, Tx_Inferred]> {
  let summary = "the head and its loss: logits that never are in memory as a whole";
  let description = [{
    `tx.linear` (without a bias, to f32), `tx.cross_entropy` and `tx.reduce_loss` in one: x [b,s,h], weight [h,v], or
    [v,h] if `transposed`, targets [b,s] -> the sum of the losses and the count of valid tokens. tx-expand-ops makes
    these ops of it for chunks of rows: a chunk has all rows if v <= h, else b s h / v of them rounded up to a multiple
    of 256, so that its logits are about as many as x has elements.

    The op is where losses are; `head` is the path of its products.

    Training puts `tx.linear_cross_entropy_grad` in its place.

    ```mlir
    %sum, %count = tx.linear_cross_entropy %x, %w, %targets transposed ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$sum, Tx_F32Tensor:$count);
  let assemblyFormat = [{
    $x `,` $weight `,` $targets (`transposed` $transposed^)? `ignore` $ignore_index `head` $head `in` $scope attr-dict
    `:` type($x) `,` type($weight) `,` type($targets)
  }];
  let extraClassDeclaration = [{
    ::llvm::StringRef getResultLabel(unsigned number) { return number == 0 ? "" : "count"; }
    /// How many rows of logits exist at once, for x of `rows` rows of h elements and a vocabulary of v.
    static int64_t getChunkRows(int64_t rows, int64_t h, int64_t v);
    /// The op that does what a `tx.reduce_loss` and the two ops before it do, built before it; null if it ends no such
    /// three, or if somebody else reads a value between them.
    static LinearCrossEntropyOp join(::mlir::OpBuilder &builder, ReduceLossOp reduce);
  }];
}

def Tx_LinearCrossEntropyGradOp : Tx_ComputeOp<"linear_cross_entropy_grad",
    (ins Tx_FloatTensor:$x, Tx_FloatTensor:$weight, Tx_I32Tensor:$targets, Tx_F32Tensor:$dsum,
         Optional<Tx_F32Tensor>:$acc, Optional<Tx_Bit>:$reset, UnitAttr:$transposed, UnitAttr:$input,
         I64Attr:$ignore_index, StrAttr:$head),
    [AttrSizedOperandSegments, Tx_Never, Tx_Resettable, Tx_IdReading, Tx_Expandable, Tx_GradientCost, Tx_Inferred]> {
  let summary = "`tx.linear_cross_entropy` with its gradients, which need the same logits";
  let description = [{
    The results of `tx.linear_cross_entropy`; then, if `input` asks for it, x's gradient for the gradient dsum of the
    sum; then, if there is an accumulator, the weight's gradient added to it. While a chunk's logits exist they become
    their gradient in place, rounded to x's type, which two products read. So the op stands in forward, though it gives
    gradients: what lives across the border is x's gradient, in place of x or of logits.

    Where forward does not know dsum, because more than a sum is made of the loss, the op stands in backward and
    computes the logits once more.

    ```mlir
    %sum, %count, %dx, %dw = tx.linear_cross_entropy_grad %x, %w, %targets scale %loss_scale into %acc transposed input ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>, tensor<f32>, tensor<7x6xf32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$sum, Tx_F32Tensor:$count, Variadic<Tx_FloatTensor>:$gradients);
  let assemblyFormat = [{
    $x `,` $weight `,` $targets `scale` $dsum (`into` $acc^)? (`reset` $reset^)? (`transposed` $transposed^)?
    (`input` $input^)? `ignore` $ignore_index `head` $head `in` $scope attr-dict
    `:` type($x) `,` type($weight) `,` type($targets) `,` type($dsum) (`,` type($acc)^)? (`reset` type($reset)^)?
  }];
  let extraClassDeclaration = [{
    ::llvm::StringRef getResultLabel(unsigned number);
    /// Null unless `input` asks for it.
    ::mlir::Value getDx() { return getInput() ? getGradients().front() : ::mlir::Value(); }
    /// The continued accumulator; null if there is none.
    ::mlir::Value getDweight() { return getAcc() ? getGradients().back() : ::mlir::Value(); }
  }];
}

//===--------------------------------------------------------------------------------------------------------------===//
// Optimizer
//===--------------------------------------------------------------------------------------------------------------===//

def Tx_SumOfSquaresOp : Tx_ComputeOp<"sum_of_squares", (ins Tx_F32Tensor:$x),
    [Tx_Exact, Tx_Kernel, Tx_VectorCost, Tx_Inferred]> {
  let summary = "partial sums of squares, one for each chunk of 4096 elements";
  let description = [{
    ```mlir
    %p = tx.sum_of_squares %g in <optimizer, "grad_norm"> : tensor<8x4xf32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$partials);
  let assemblyFormat = "$x `in` $scope attr-dict `:` type($x)";
  let extraClassDeclaration = [{
    static constexpr int64_t kChunk = 4096;
  }];
}

def Tx_ClipCoefficientOp : Tx_ComputeOp<"clip_coefficient",
    (ins Tx_F32Tensor:$partials, F64Attr:$max_norm),
    [Tx_Exact, Tx_ReducingKernel, Tx_VectorCost, Tx_Inferred]> {
  let summary = "the global norm and the factor that clips it";
  let description = [{
    partials [n] of `tx.sum_of_squares` -> norm = sqrt(sum), coefficient = min(1, max_norm / (norm + 1e-6)); 1 if
    max_norm is 0 (torch.nn.utils.clip_grad_norm_); NaN if the norm is not finite, which leaves the update undone.

    ```mlir
    %norm, %coefficient = tx.clip_coefficient %partials max 1.0 in <optimizer, "grad_norm"> : tensor<9xf32>
    ```
  }];
  let results = (outs Tx_F32Tensor:$norm, Tx_F32Tensor:$coefficient);
  let assemblyFormat = "$partials `max` $max_norm `in` $scope attr-dict `:` type($partials)";
}

def Tx_AdamWOp : Tx_ComputeOp<"adamw",
    (ins Tx_FloatTensor:$param, Tx_F32Tensor:$grad, Tx_F32Tensor:$m, Tx_F32Tensor:$v,
         Optional<Tx_F32Tensor>:$master, Tx_F32Tensor:$coefficient, Tx_F32Tensor:$lr, Tx_I32Tensor:$step,
         F64Attr:$beta1, F64Attr:$beta2, F64Attr:$eps, F64Attr:$weight_decay),
    [Tx_Accumulating, DeclareOpInterfaceMethods<Tx_KernelOpInterface, ["readsOperand"]>, Tx_VectorCost, Tx_Inferred,
     AllTypesMatch<["grad", "m", "v"]>,
     TypesMatchWith<"the coefficient is a scalar of the gradient's type", "grad", "coefficient",
                    "::tx::detail::scalarLike($_self)">,
     TypesMatchWith<"the learning rate is a scalar of the gradient's type", "grad", "lr",
                    "::tx::detail::scalarLike($_self)">,
     TypesMatchWith<"the step is an i32 scalar", "grad", "step", "::tx::detail::stepType($_self)">]> {
  let summary = "AdamW with decoupled weight decay, in place";
  let description = [{
    With g = grad * coefficient, m = beta1 m + (1-beta1) g, v = beta2 v + (1-beta2) g^2: param -= lr * (m /
    (1-beta1^step) / (sqrt(v / (1-beta2^step)) + eps) + weight_decay * param) (Loshchilov and Hutter 2019;
    torch.optim.AdamW). When parameters are narrower than f32, a master copy holds the exact ones. A coefficient that is
    not finite changes nothing: all results are the operands.

    ```mlir
    %p1, %m1, %v1 = tx.adamw %p, %g, %m, %v clip %c lr %lr step %t betas 0.9, 0.999 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<8x4xf32>, tensor<8x4xf32>
    ```
  }];
  let results = (outs Tx_FloatTensor:$new_param, Tx_F32Tensor:$new_m, Tx_F32Tensor:$new_v,
                      Optional<Tx_F32Tensor>:$new_master);
  let assemblyFormat = [{
    $param `,` $grad `,` $m `,` $v (`master` $master^)? `clip` $coefficient `lr` $lr `step` $step
    `betas` $beta1 `,` $beta2 `eps` $eps `decay` $weight_decay `in` $scope attr-dict
    `:` type($param) `,` type($grad) (`,` type($master)^)?
  }];
}

#endif // TX_TRAINING_OPS_TD
