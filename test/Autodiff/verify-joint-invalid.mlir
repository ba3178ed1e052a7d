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
  // expected-error @below {{has another form than its forward op at embedding}}
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
