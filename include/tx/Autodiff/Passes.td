//===- Passes.td - Passes of the joint phase -------------------------------------------------------*- tablegen -*-===//

#ifndef TX_AUTODIFF_PASSES_TD
#define TX_AUTODIFF_PASSES_TD

include "mlir/Pass/PassBase.td"

def TxJoinHeadPass : Pass<"tx-join-head", "::mlir::ModuleOp"> {
  let summary = "make one op of the head and its loss";
  let description = [{
    In the function marked `tx.train`, a `tx.linear` without a bias whose result only a `tx.cross_entropy` reads, whose
    losses only a `tx.reduce_loss` reads, becomes one `tx.linear_cross_entropy`, which needs no logits as a whole. Both
    losses must have the same targets and leave out the same id, and the logits must be f32. What stays apart is trained
    as it is.

    Before:

    ```mlir
    tx.global @w parameter normal(0.02) decay : tensor<7x6xf32>
    func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
        -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
      %w = tx.load @w : tensor<7x6xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
      %logits = tx.linear %x, %w transposed in <"output_layer"> : tensor<2x4x6xf32>, tensor<7x6xf32> -> tensor<2x4x7xf32>
      %losses, %lse = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x4x7xf32>, tensor<2x4xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
      return %sum, %count : tensor<f32>, tensor<f32>
    }
    ```

    After:

    ```mlir
    tx.global @w parameter normal(0.02) decay : tensor<7x6xf32>
    func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
        -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
      %w = tx.load @w : tensor<7x6xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
      %sum, %count = tx.linear_cross_entropy %x, %w, %targets transposed ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>
      return %sum, %count : tensor<f32>, tensor<f32>
    }
    ```
  }];
  let dependentDialects = ["::tx::TxDialect", "::mlir::func::FuncDialect"];
}

def TxAutodiffPass : Pass<"tx-autodiff", "::mlir::ModuleOp"> {
  let summary = "differentiate the function marked `tx.train`";
  let description = [{
    Builds `@microbatch`: the loss and, after it, its gradients by every parameter, added into the globals
    `@<parameter>.grad`. Arguments are those of the marked function, then `loss_scale` (the gradient of the loss) and
    `first` (the first contribution to each gradient starts from zero). What backward needs of forward is a plain SSA
    use.

    A gradient that has several parts is summed in the order in which backward meets them. Ops that the loss does not
    need are left out.

    Before:

    ```mlir
    tx.global @w parameter normal(0.02) decay : tensor<7x6xf32>
    func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
        -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
      %w = tx.load @w : tensor<7x6xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
      %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
      return %sum, %count : tensor<f32>, tensor<f32>
    }
    ```

    After:

    ```mlir
    tx.global @w parameter normal(0.02) decay : tensor<7x6xf32>
    tx.global @w.grad gradient of @w : tensor<7x6xf32>
    func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
        -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
      %w = tx.load @w : tensor<7x6xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
      %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
      return %sum, %count : tensor<f32>, tensor<f32>
    }
    func.func @microbatch(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"},
        %loss_scale: tensor<f32> {tx.name = "loss_scale"}, %first: tensor<i1> {tx.name = "first"})
        -> (tensor<f32> {tx.name = "loss_sum"}, tensor<f32> {tx.name = "valid_count"}) {
      %w = tx.load @w : tensor<7x6xf32>
      %acc = tx.load @w.grad : tensor<7x6xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
      %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
      %dl = tx.reduce_loss_grad %loss_scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
      %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
      %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
      tx.store %g, @w.grad : tensor<7x6xf32>
      return %sum, %count : tensor<f32>, tensor<f32>
    }
    ```
  }];
  let dependentDialects = ["::tx::TxDialect", "::mlir::func::FuncDialect"];
}

def TxVerifyJointPass : Pass<"tx-verify-joint", "::mlir::ModuleOp"> {
  let summary = "check what the joint phase promises";
  let description = [{
    Changes nothing. In every function but the marked one, which is of an earlier phase:

    - each global is loaded at most once, before all else, and stored at most
      once, after all else;
    - each op but loads, stores and returns has a scope;
    - each accumulator is read for the last time by the op that continues it;
    - no two forward ops draw random numbers at one site; a backward op that
      draws has a forward op of the same site, key and form;
    - each recompute op is a forward op once more: its attributes, types, layer and
      path, on the same values or recomputations of them. None is there twice or
      for no use, or of what must happen once.

    And where there is a backward segment:

    - the op that gives the function's first result, the loss, is the border:
      forward ops stand before it, backward and recompute ops after, and no
      forward op uses what these compute;
    - each gradient is one chain of accumulations from its load to its store,
      of which the first alone has a reset bit.

    A module with the entries of training has no mesh axes but batch axes.
  }];
}

def TxMakeEntriesPass : Pass<"tx-make-entries", "::mlir::ModuleOp"> {
  let summary = "add the entries `apply`, `step`, `evaluate` and `predict`";
  let description = [{
    - `@apply(lr, step) -> grad_norm`: clips the gradients by their global norm
      and updates the parameters by AdamW; weight decay for the globals that
      are marked `decay`. Parameters of one decay and one type are one `tx.pack`, so a few kernels do it all, however
      many there are. Adds the globals `.exp_avg`, `.exp_avg_sq` and, for a parameter narrower than its gradient,
      `.master`.
    - `@step`: the body of `@microbatch` as it stands, then that of `@apply`, for
      steps of one microbatch. The gradients are stored all the same.
    - `@evaluate(tokens, targets) -> (loss_sum, valid_count)`: the marked function with each op in its evaluation form
      (no dropout).
    - `@predict(tokens, row) -> logits`: the same up to the first loss, and of what this predicts only one row of each
      sample, the one with the number in `row`: text is sampled with it. It is left out if no loss has samples of a
      sequence.

    The marked function is erased. Before:

    ```mlir
    tx.global @w parameter normal(0.02) decay : tensor<7x6xf32>
    tx.global @w.grad gradient of @w : tensor<7x6xf32>
    func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
        -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
      %w = tx.load @w : tensor<7x6xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
      %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
      return %sum, %count : tensor<f32>, tensor<f32>
    }
    func.func @microbatch(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"},
        %loss_scale: tensor<f32> {tx.name = "loss_scale"}, %first: tensor<i1> {tx.name = "first"})
        -> (tensor<f32> {tx.name = "loss_sum"}, tensor<f32> {tx.name = "valid_count"}) {
      %w = tx.load @w : tensor<7x6xf32>
      %acc = tx.load @w.grad : tensor<7x6xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
      %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
      %dl = tx.reduce_loss_grad %loss_scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
      %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
      %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
      tx.store %g, @w.grad : tensor<7x6xf32>
      return %sum, %count : tensor<f32>, tensor<f32>
    }
    ```

    After:

    ```mlir
    tx.global @w parameter normal(0.02) decay : tensor<7x6xf32>
    tx.global @w.grad gradient of @w : tensor<7x6xf32>
    tx.global @w.exp_avg moment1 of @w : tensor<7x6xf32>
    tx.global @w.exp_avg_sq moment2 of @w : tensor<7x6xf32>
    func.func @microbatch(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"},
        %loss_scale: tensor<f32> {tx.name = "loss_scale"}, %first: tensor<i1> {tx.name = "first"})
        -> (tensor<f32> {tx.name = "loss_sum"}, tensor<f32> {tx.name = "valid_count"}) {
      %w = tx.load @w : tensor<7x6xf32>
      %acc = tx.load @w.grad : tensor<7x6xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
      %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
      %dl = tx.reduce_loss_grad %loss_scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
      %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
      %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
      tx.store %g, @w.grad : tensor<7x6xf32>
      return %sum, %count : tensor<f32>, tensor<f32>
    }
    func.func @apply(%lr: tensor<f32> {tx.name = "lr"}, %step: tensor<i32> {tx.name = "step"})
        -> (tensor<f32> {tx.name = "grad_norm"}) {
      %g = tx.load @w.grad : tensor<7x6xf32>
      %w = tx.load @w : tensor<7x6xf32>
      %m = tx.load @w.exp_avg : tensor<7x6xf32>
      %v = tx.load @w.exp_avg_sq : tensor<7x6xf32>
      %pg = tx.pack %g in <optimizer, "grad_norm"> : tensor<7x6xf32> -> tensor<64xf32>
      %squares = tx.sum_of_squares %pg in <optimizer, "grad_norm"> : tensor<64xf32>
      %all = tx.concat %squares in <optimizer, "grad_norm"> : tensor<1xf32>
      %norm, %clip = tx.clip_coefficient %all max 1.0 in <optimizer, "grad_norm"> : tensor<1xf32>
      %pw = tx.pack %w in <optimizer, "adamw"> : tensor<7x6xf32> -> tensor<64xf32>
      %pm = tx.pack %m in <optimizer, "adamw"> : tensor<7x6xf32> -> tensor<64xf32>
      %pv = tx.pack %v in <optimizer, "adamw"> : tensor<7x6xf32> -> tensor<64xf32>
      %nw, %nm, %nv = tx.adamw %pw, %pg, %pm, %pv clip %clip lr %lr step %step betas 0.9, 0.999 eps 1.0e-8 decay 0.01 in <optimizer, "adamw"> : tensor<64xf32>, tensor<64xf32>
      %w1 = tx.unpack %nw in <optimizer, "adamw"> : tensor<64xf32> -> tensor<7x6xf32>
      %m1 = tx.unpack %nm in <optimizer, "adamw"> : tensor<64xf32> -> tensor<7x6xf32>
      %v1 = tx.unpack %nv in <optimizer, "adamw"> : tensor<64xf32> -> tensor<7x6xf32>
      tx.store %w1, @w : tensor<7x6xf32>
      tx.store %m1, @w.exp_avg : tensor<7x6xf32>
      tx.store %v1, @w.exp_avg_sq : tensor<7x6xf32>
      return %norm : tensor<f32>
    }
    func.func @step(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"},
        %loss_scale: tensor<f32> {tx.name = "loss_scale"}, %first: tensor<i1> {tx.name = "first"},
        %lr: tensor<f32> {tx.name = "lr"}, %step: tensor<i32> {tx.name = "step"})
        -> (tensor<f32> {tx.name = "loss_sum"}, tensor<f32> {tx.name = "valid_count"}, tensor<f32> {tx.name = "grad_norm"}) {
      %w = tx.load @w : tensor<7x6xf32>
      %acc = tx.load @w.grad : tensor<7x6xf32>
      %m = tx.load @w.exp_avg : tensor<7x6xf32>
      %v = tx.load @w.exp_avg_sq : tensor<7x6xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
      %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
      %dl = tx.reduce_loss_grad %loss_scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
      %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
      %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
      %pg = tx.pack %g in <optimizer, "grad_norm"> : tensor<7x6xf32> -> tensor<64xf32>
      %squares = tx.sum_of_squares %pg in <optimizer, "grad_norm"> : tensor<64xf32>
      %all = tx.concat %squares in <optimizer, "grad_norm"> : tensor<1xf32>
      %norm, %clip = tx.clip_coefficient %all max 1.0 in <optimizer, "grad_norm"> : tensor<1xf32>
      %pw = tx.pack %w in <optimizer, "adamw"> : tensor<7x6xf32> -> tensor<64xf32>
      %pm = tx.pack %m in <optimizer, "adamw"> : tensor<7x6xf32> -> tensor<64xf32>
      %pv = tx.pack %v in <optimizer, "adamw"> : tensor<7x6xf32> -> tensor<64xf32>
      %nw, %nm, %nv = tx.adamw %pw, %pg, %pm, %pv clip %clip lr %lr step %step betas 0.9, 0.999 eps 1.0e-8 decay 0.01 in <optimizer, "adamw"> : tensor<64xf32>, tensor<64xf32>
      %w1 = tx.unpack %nw in <optimizer, "adamw"> : tensor<64xf32> -> tensor<7x6xf32>
      %m1 = tx.unpack %nm in <optimizer, "adamw"> : tensor<64xf32> -> tensor<7x6xf32>
      %v1 = tx.unpack %nv in <optimizer, "adamw"> : tensor<64xf32> -> tensor<7x6xf32>
      tx.store %g, @w.grad : tensor<7x6xf32>
      tx.store %w1, @w : tensor<7x6xf32>
      tx.store %m1, @w.exp_avg : tensor<7x6xf32>
      tx.store %v1, @w.exp_avg_sq : tensor<7x6xf32>
      return %sum, %count, %norm : tensor<f32>, tensor<f32>, tensor<f32>
    }
    func.func @evaluate(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
        -> (tensor<f32> {tx.name = "loss_sum"}, tensor<f32> {tx.name = "valid_count"}) {
      %w = tx.load @w : tensor<7x6xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
      %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
      return %sum, %count : tensor<f32>, tensor<f32>
    }
    func.func @predict(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %row: tensor<2xi32> {tx.name = "row"})
        -> (tensor<2x6xf32> {tx.name = "logits"}) {
      %w = tx.load @w : tensor<7x6xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
      %logits = tx.select_rows %x, %row in <"loss"> : tensor<2x4x6xf32>, tensor<2xi32>
      return %logits : tensor<2x6xf32>
    }
    ```
  }];
  let options = [
    Option<"clipGrad", "clip-grad", "double", "1.0", "clip gradients to this global norm; 0 does not clip">,
    Option<"weightDecay", "weight-decay", "double", "0.01", "decoupled weight decay">,
    Option<"adamBeta1", "adam-beta1", "double", "0.9", "decay rate of the first moment">,
    Option<"adamBeta2", "adam-beta2", "double", "0.999", "decay rate of the second moment">,
    Option<"adamEps", "adam-eps", "double", "1e-8", "added to the root of the second moment">,
  ];
  let dependentDialects = ["::tx::TxDialect", "::mlir::func::FuncDialect"];
}

#endif // TX_AUTODIFF_PASSES_TD
