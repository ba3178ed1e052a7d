// Each refusal of tx-autodiff.
// RUN: tx-opt %s --tx-autodiff --split-input-file --verify-diagnostics

func.func @a(%sum: tensor<f32> {tx.name = "sum"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  return %sum, %sum : tensor<f32>, tensor<f32>
}
// expected-error @below {{@b is marked tx.train, and so is @a; a step has one loss}}
func.func @b(%sum: tensor<f32> {tx.name = "sum"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  return %sum, %sum : tensor<f32>, tensor<f32>
}

// -----

// expected-error @below {{@loss must have one block, has 2}}
func.func @loss(%sum: tensor<f32> {tx.name = "sum"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  return %sum, %sum : tensor<f32>, tensor<f32>
^other:
  return %sum, %sum : tensor<f32>, tensor<f32>
}

// -----

// expected-error @below {{@loss is marked tx.train and must return the loss's sum and the count of valid tokens, two scalars; returns 'tensor<f32>'}}
func.func @loss(%sum: tensor<f32> {tx.name = "sum"}) -> tensor<f32> attributes {tx.train} {
  return %sum : tensor<f32>
}

// -----

// expected-error @below {{argument 0 of @loss has no name; add {tx.name = "tokens"} or the like}}
func.func @loss(%sum: tensor<f32>) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  return %sum, %sum : tensor<f32>, tensor<f32>
}

// -----

func.func @other() {
  return
}
func.func @loss(%sum: tensor<f32> {tx.name = "sum"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  // expected-error @below {{cannot stand in the loss: its ops are loads and pure ops with a scope}}
  call @other() : () -> ()
  return %sum, %sum : tensor<f32>, tensor<f32>
}

// -----

// expected-error @below {{@microbatch exists already; is the module differentiated?}}
func.func @microbatch() {
  return
}
func.func @loss(%sum: tensor<f32> {tx.name = "sum"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  return %sum, %sum : tensor<f32>, tensor<f32>
}

// -----

// expected-error @below {{@w.grad exists already; is the module differentiated?}}
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.exp_avg moment1 of @w : tensor<7x6xf32>
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  // expected-error @below {{reads @w.exp_avg, a moment1; a loss reads parameters only}}
  %w = tx.load @w.exp_avg : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %losses, %lse = tx.cross_entropy %x, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// An op without a backward between a parameter and the loss.
tx.global @w parameter : tensor<7x6xf32>
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  // expected-error @below {{has no gradient, but stands between a parameter and the loss}}
  %y = tx.gelu_grad %x, %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %y, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// A gradient must not get lost: here a parameter's, used as a plain value.
tx.global @w parameter : tensor<2x4x6xf32>
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<2x4x6xf32>
  // expected-error @below {{uses parameter @w as operand 0, by which it has no accumulated gradient}}
  %y = tx.gelu %w in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %y, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// Here the table's, computed from a parameter.
tx.global @w parameter : tensor<7x6xf32>
tx.global @p parameter : tensor<6x6xf32>
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %p = tx.load @p : tensor<6x6xf32>
  %t = tx.linear %w, %p in <layer 0, "table"> : tensor<7x6xf32>, tensor<6x6xf32> -> tensor<7x6xf32>
  // expected-error @below {{has no gradient by operand 1, which must be a parameter itself, not computed from one}}
  %y = tx.embedding %tokens, %t in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %z = tx.add %x, %y in <"embedding"> : tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %z, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// Here that of a norm's statistics.
tx.global @w parameter : tensor<7x6xf32>
tx.global @n parameter : tensor<6xf32>
tx.global @m parameter : tensor<6xf32>
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %n = tx.load @n : tensor<6xf32>
  %m = tx.load @m : tensor<6xf32>
  // expected-error @below {{has no gradient through result 1, which the loss depends on}}
  %y, %mean, %rstd = tx.layer_norm %x, %n, %m eps 1.0e-5 in <layer 0, "layernorm"> : tensor<2x4x6xf32>, tensor<6xf32>
  %l, %e = tx.cross_entropy %y, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %both = tx.add %l, %mean in <"loss"> : tensor<2x4xf32>
  %sum, %count = tx.reduce_loss %both, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// expected-error @below {{@loss must have one block, has 0}}
func.func private @loss(tensor<2x4xi32>) -> (tensor<f32>, tensor<f32>) attributes {tx.train}

// -----

// expected-error @below {{the loss is computed from no parameter}}
func.func @loss(%sum: tensor<f32> {tx.name = "sum"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  return %sum, %sum : tensor<f32>, tensor<f32>
}

// -----

// Here the whole gradient of an op: the loss depends on a statistic of it.
tx.global @w parameter : tensor<7x6xf32>
tx.global @n parameter : tensor<6xf32>
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %n = tx.load @n : tensor<6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  // expected-error @below {{has no gradient through result 1, which the loss depends on}}
  %y, %mean, %rstd = tx.layer_norm %x, %n, %n eps 1.0e-5 in <layer 0, "layernorm"> : tensor<2x4x6xf32>, tensor<6xf32>
  %sum, %count = tx.reduce_loss %mean, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

// expected-error @below {{arguments 0 and 1 of @loss have one name, 'tokens'; who trains gives them by name}}
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "tokens"}, %sum: tensor<f32> {tx.name = "sum"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  return %sum, %sum : tensor<f32>, tensor<f32>
}

// -----

// expected-error @below {{argument 0 of @loss has the name 'first', which an entry gives to an argument of its own; give it another}}
func.func @loss(%sum: tensor<f32> {tx.name = "first"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  return %sum, %sum : tensor<f32>, tensor<f32>
}

// -----

// expected-error @below {{@loss has tx.train = false; it is a mark without a value, and without it the function is not trained}}
func.func @loss(%sum: tensor<f32> {tx.name = "sum"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train = false} {
  return %sum, %sum : tensor<f32>, tensor<f32>
}
