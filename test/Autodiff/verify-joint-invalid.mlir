// Each promise of the joint phase, broken.
// RUN: tx-opt %s --tx-verify-joint --split-input-file --verify-diagnostics

tx.global @w parameter : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  // expected-error @below {{loads @w a second time in @microbatch}}
  %v = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  // expected-error @below {{loads @w.grad after other ops; loads stand at the entry}}
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  // expected-error @below {{stores @w.grad a second time in @microbatch}}
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  // expected-error @below {{stands after a store; stores stand at the exit}}
  %y = tx.gelu %x in <backward, "mlp"> : tensor<2x4x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

func.func @other() {
  return
}
func.func @f() {
  // expected-error @below {{has no scope; every op says where it belongs}}
  call @other() : () -> ()
  return
}

// -----

// expected-error @below {{@f must have one block, has 2}}
func.func @f() {
  return
^other:
  return
}

// -----

// The old gradient is gone once it is continued.
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  // expected-error @below {{reads an accumulator that tx.embedding_weight_grad has overwritten (operand 2)}}
  %n = tx.sum_of_squares %acc in <optimizer, "grad_norm"> : tensor<7x6xf32>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// A function that keeps no state must leave it as it was.
tx.mesh_axis @tp size 2
tx.global @w parameter : tensor<7x6xf32>
func.func @f() -> tensor<7x6xf32> {
  %w = tx.load @w : tensor<7x6xf32>
  // expected-error @below {{overwrites @w, but its result is not stored there}}
  %sum = tx.all_reduce %w on @tp in <"a"> : tensor<7x6xf32>
  return %sum : tensor<7x6xf32>
}

// -----

// One op cannot continue an accumulator and read it elsewhere.
func.func @f(%acc: tensor<6x6xf32>) {
  // expected-error @below {{reads an accumulator that tx.linear_weight_grad has overwritten (operand 2)}}
  %g = tx.linear_weight_grad %acc, %acc into %acc in <backward, "head"> : tensor<6x6xf32>, tensor<6x6xf32>, tensor<6x6xf32>
  return
}

// -----

// The border is the op that gives the first result.
// expected-error @below {{@f has a backward segment, so its first result must be the loss of a forward op}}
func.func @f(%x: tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
  %y = tx.gelu %x in <backward, "mlp"> : tensor<2x4x6xf32>
  return %y : tensor<2x4x6xf32>
}

// -----

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  // expected-error @below {{is in forward, but stands after the border (tx.reduce_loss)}}
  %y = tx.gelu %x in <"mlp"> : tensor<2x4x6xf32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  // expected-error @below {{is in backward, but stands before the border (tx.reduce_loss)}}
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// A forward op that waits for backward.
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  // expected-error @below {{is in forward and uses a backward value}}
  %sum, %count = tx.reduce_loss %dl, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  // expected-error @below {{breaks the accumulation of @w.grad: the first contribution has a reset bit}}
  %g = tx.embedding_weight_grad %tokens, %dx into %acc in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %h = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  // expected-error @below {{breaks the accumulation of @w.grad: only the first contribution has a reset bit}}
  %g = tx.embedding_weight_grad %tokens, %dx into %h reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  // expected-error @below {{breaks the accumulation of @w.grad: what is stored is not its sum}}
  tx.store %acc, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
tx.global @v parameter : tensor<7x6xf32>
tx.global @v.grad gradient of @v : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  // expected-error @below {{breaks the accumulation of @w.grad: what is stored is not its sum}}
  tx.store %g, @v.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  // expected-error @below {{breaks the accumulation of @w.grad: its sum is not stored}}
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// A sum of gradients outside of the chain.
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %x, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  // expected-error @below {{breaks the accumulation of @w.grad: only accumulations, its store and the optimizer may use it}}
  %g = tx.add %acc, %acc in <backward, "embedding"> : tensor<7x6xf32>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// Two dropouts at one site would drop the same elements.
func.func @f(%x: tensor<2x4x6xf32>, %key: tensor<4xi32>) -> tensor<2x4x6xf32> {
  %y = tx.dropout %x, %key p 0.1 in <layer 0, "mlp"> : tensor<2x4x6xf32>, tensor<4xi32>
  // expected-error @below {{draws the random numbers of another op: both are at layer 0 mlp; give one a path of its own}}
  %z = tx.dropout %y, %key p 0.1 in <layer 0, "mlp"> : tensor<2x4x6xf32>, tensor<4xi32>
  return %z : tensor<2x4x6xf32>
}

// -----

// Backward must drop what forward dropped: the same site,
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %d = tx.dropout %x, %key p 0.1 in <"embedding"> : tensor<2x4x6xf32>, tensor<4xi32>
  %losses, %lse = tx.cross_entropy %d, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %d, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  // expected-error @below {{draws random numbers at layer 1 embedding, where no forward op draws any}}
  %e = tx.dropout %dx, %key p 0.1 in <backward, layer 1, "embedding"> : tensor<2x4x6xf32>, tensor<4xi32>
  %g = tx.embedding_weight_grad %tokens, %e into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// the same key,
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %other: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %d = tx.dropout %x, %key p 0.1 in <"embedding"> : tensor<2x4x6xf32>, tensor<4xi32>
  %losses, %lse = tx.cross_entropy %d, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %d, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  // expected-error @below {{draws random numbers with another key than its forward op at embedding}}
  %e = tx.dropout %dx, %other p 0.1 in <backward, "embedding"> : tensor<2x4x6xf32>, tensor<4xi32>
  %g = tx.embedding_weight_grad %tokens, %e into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// the same probability. A recomputation too.
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %d = tx.dropout %x, %key p 0.1 in <"embedding"> : tensor<2x4x6xf32>, tensor<4xi32>
  %losses, %lse = tx.cross_entropy %d, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %d, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  // expected-error @below {{'tx.dropout' op at embedding recomputes no forward op: the tx.dropout at embedding has another operand 0; a recomputation takes the same values, or recomputations of them}}
  %e = tx.dropout %dx, %key p 0.2 in <recompute, "embedding"> : tensor<2x4x6xf32>, tensor<4xi32>
  %g = tx.embedding_weight_grad %tokens, %e into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// What a pack is overwritten with is what its parts are overwritten with.
tx.mesh_axis @tp size 2
tx.global @w parameter : tensor<7x6xf32>
func.func @f() -> tensor<7x6xf32> {
  %w = tx.load @w : tensor<7x6xf32>
  %p = tx.pack %w in <"a"> : tensor<7x6xf32> -> tensor<64xf32>
  %sum = tx.all_reduce %p on @tp in <"a"> : tensor<64xf32>
  %w1 = tx.unpack %sum in <"a"> : tensor<64xf32> -> tensor<7x6xf32>
  // expected-error @below {{reads an accumulator that tx.all_reduce has overwritten (operand 0)}}
  %y = tx.gelu %w in <"a"> : tensor<7x6xf32>
  tx.store %w1, @w : tensor<7x6xf32>
  return %y : tensor<7x6xf32>
}

// -----

// Each part of a pack has to be stored.
tx.mesh_axis @tp size 2
tx.global @w parameter : tensor<7x6xf32>
tx.global @b parameter : tensor<7xf32>
func.func @f() {
  %w = tx.load @w : tensor<7x6xf32>
  %b = tx.load @b : tensor<7xf32>
  %p = tx.pack %w, %b in <"a"> : tensor<7x6xf32>, tensor<7xf32> -> tensor<128xf32>
  // expected-error @below {{overwrites @b, but its result is not stored there}}
  %sum = tx.all_reduce %p on @tp in <"a"> : tensor<128xf32>
  %w1, %b1 = tx.unpack %sum in <"a"> : tensor<128xf32> -> tensor<7x6xf32>, tensor<7xf32>
  tx.store %w1, @w : tensor<7x6xf32>
  return
}

// -----

// A recomputation is a forward op once more: with its attributes,
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %s = tx.softmax %x causal in <layer 0, "core_attn"> : tensor<2x4x6xf32>
  %y = tx.gelu %s in <layer 0, "mlp"> : tensor<2x4x6xf32>
  %z = tx.gelu %y in <layer 1, "mlp"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %z, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dz = tx.cross_entropy_grad %dl, %z, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  // expected-error @below {{'tx.softmax' op at layer 0 core_attn recomputes no forward op: the tx.softmax at layer 0 core_attn has causal = unit, the recomputation none}}
  %s1 = tx.softmax %x in <recompute, layer 0, "core_attn"> : tensor<2x4x6xf32>
  %y1 = tx.gelu %s1 in <recompute, layer 0, "mlp"> : tensor<2x4x6xf32>
  %dy = tx.gelu_grad %dz, %y1 in <backward, layer 1, "mlp"> : tensor<2x4x6xf32>
  %dx = tx.gelu_grad %dy, %s1 in <backward, layer 0, "mlp"> : tensor<2x4x6xf32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// at its place,
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %s = tx.softmax %x causal in <layer 0, "core_attn"> : tensor<2x4x6xf32>
  %y = tx.gelu %s in <layer 0, "mlp"> : tensor<2x4x6xf32>
  %z = tx.gelu %y in <layer 1, "mlp"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %z, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dz = tx.cross_entropy_grad %dl, %z, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %s1 = tx.softmax %x causal in <recompute, layer 0, "core_attn"> : tensor<2x4x6xf32>
  // expected-error @below {{'tx.gelu' op at layer 2 mlp recomputes no forward op: the tx.gelu at layer 0 mlp has another place; a recomputation stands where its forward op does}}
  %y1 = tx.gelu %s1 in <recompute, layer 2, "mlp"> : tensor<2x4x6xf32>
  %dy = tx.gelu_grad %dz, %y1 in <backward, layer 1, "mlp"> : tensor<2x4x6xf32>
  %dx = tx.gelu_grad %dy, %s1 in <backward, layer 0, "mlp"> : tensor<2x4x6xf32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// on its operands or recomputations of them,
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %s = tx.softmax %x causal in <layer 0, "core_attn"> : tensor<2x4x6xf32>
  %y = tx.gelu %s in <layer 0, "mlp"> : tensor<2x4x6xf32>
  %z = tx.gelu %y in <layer 1, "mlp"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %z, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dz = tx.cross_entropy_grad %dl, %z, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %s1 = tx.softmax %x causal in <recompute, layer 0, "core_attn"> : tensor<2x4x6xf32>
  // expected-error @below {{'tx.gelu' op at layer 0 mlp recomputes no forward op: the tx.gelu at layer 0 mlp has another operand 0; a recomputation takes the same values, or recomputations of them}}
  %y1 = tx.gelu %x in <recompute, layer 0, "mlp"> : tensor<2x4x6xf32>
  %dy = tx.gelu_grad %dz, %y1 in <backward, layer 1, "mlp"> : tensor<2x4x6xf32>
  %dx = tx.gelu_grad %dy, %s1 in <backward, layer 0, "mlp"> : tensor<2x4x6xf32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// with its marks,
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %s = tx.softmax %x causal in <layer 0, "core_attn"> : tensor<2x4x6xf32>
  %y = tx.gelu %s in <layer 0, "mlp"> : tensor<2x4x6xf32>
  %z = tx.gelu %y in <layer 1, "mlp"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %z, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dz = tx.cross_entropy_grad %dl, %z, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %s1 = tx.softmax %x causal in <recompute, layer 0, "core_attn"> : tensor<2x4x6xf32>
  // expected-error @below {{recomputes no forward op: the tx.gelu at layer 0 mlp has user.mark = none, the recomputation unit}}
  %y1 = tx.gelu %s1 in <recompute, layer 0, "mlp"> {user.mark} : tensor<2x4x6xf32>
  %dy = tx.gelu_grad %dz, %y1 in <backward, layer 1, "mlp"> : tensor<2x4x6xf32>
  %dx = tx.gelu_grad %dy, %s1 in <backward, layer 0, "mlp"> : tensor<2x4x6xf32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// of an op that is there,
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %s = tx.softmax %x causal in <layer 0, "core_attn"> : tensor<2x4x6xf32>
  %y = tx.gelu %s in <layer 0, "mlp"> : tensor<2x4x6xf32>
  %z = tx.gelu %y in <layer 1, "mlp"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %z, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dz = tx.cross_entropy_grad %dl, %z, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %s1 = tx.softmax %x causal in <recompute, layer 0, "core_attn"> : tensor<2x4x6xf32>
  %y1 = tx.gelu %s1 in <recompute, layer 0, "mlp"> : tensor<2x4x6xf32>
  // expected-error @below {{'tx.add' op at layer 0 mlp recomputes no forward op: forward has no tx.add}}
  %a = tx.add %s1, %y1 in <recompute, layer 0, "mlp"> : tensor<2x4x6xf32>
  %dy = tx.gelu_grad %dz, %y1 in <backward, layer 1, "mlp"> : tensor<2x4x6xf32>
  %dx = tx.gelu_grad %dy, %s1 in <backward, layer 0, "mlp"> : tensor<2x4x6xf32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// once,
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %s = tx.softmax %x causal in <layer 0, "core_attn"> : tensor<2x4x6xf32>
  %y = tx.gelu %s in <layer 0, "mlp"> : tensor<2x4x6xf32>
  %z = tx.gelu %y in <layer 1, "mlp"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %z, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dz = tx.cross_entropy_grad %dl, %z, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %s1 = tx.softmax %x causal in <recompute, layer 0, "core_attn"> : tensor<2x4x6xf32>
  %y1 = tx.gelu %s1 in <recompute, layer 0, "mlp"> : tensor<2x4x6xf32>
  // expected-error @below {{'tx.gelu' op recomputes what is recomputed before, at layer 0 mlp}}
  %y2 = tx.gelu %s1 in <recompute, layer 0, "mlp"> : tensor<2x4x6xf32>
  %dy = tx.gelu_grad %dz, %y1 in <backward, layer 1, "mlp"> : tensor<2x4x6xf32>
  %dx = tx.gelu_grad %dy, %s1 in <backward, layer 0, "mlp"> : tensor<2x4x6xf32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// and for a use.
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %s = tx.softmax %x causal in <layer 0, "core_attn"> : tensor<2x4x6xf32>
  %y = tx.gelu %s in <layer 0, "mlp"> : tensor<2x4x6xf32>
  %z = tx.gelu %y in <layer 1, "mlp"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %z, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dz = tx.cross_entropy_grad %dl, %z, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %s1 = tx.softmax %x causal in <recompute, layer 0, "core_attn"> : tensor<2x4x6xf32>
  %y1 = tx.gelu %s1 in <recompute, layer 0, "mlp"> : tensor<2x4x6xf32>
  // expected-error @below {{'tx.gelu' op is recomputed for no use, at layer 1 mlp}}
  %z1 = tx.gelu %y1 in <recompute, layer 1, "mlp"> : tensor<2x4x6xf32>
  %dy = tx.gelu_grad %dz, %y1 in <backward, layer 1, "mlp"> : tensor<2x4x6xf32>
  %dx = tx.gelu_grad %dy, %s1 in <backward, layer 0, "mlp"> : tensor<2x4x6xf32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// What must happen once is not recomputed.
tx.mesh_axis @tp size 2
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %y = tx.broadcast %x from 0 on @tp in <layer 0, "mlp"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %y, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  // expected-error @below {{'tx.broadcast' op is a recomputation at layer 0 mlp, but must happen once}}
  %y1 = tx.broadcast %x from 0 on @tp in <recompute, layer 0, "mlp"> : tensor<2x4x6xf32>
  %dx = tx.cross_entropy_grad %dl, %y1, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %g = tx.embedding_weight_grad %tokens, %dx into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// A step that is trained has its samples in parts, and nothing else.
// expected-error @below {{@tp is no batch axis, and a step is trained over batch axes alone}}
tx.mesh_axis @tp size 2
func.func @microbatch(%scale: tensor<f32> {tx.name = "loss_scale"}) {
  return
}
func.func @apply() {
  return
}
