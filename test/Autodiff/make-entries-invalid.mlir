// Each refusal of tx-make-entries.
// RUN: tx-opt %s --tx-make-entries --split-input-file --verify-diagnostics

// Plain functions may have these names, beside a step they may not.
func.func @apply() {
  return
}

// -----

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch() {
  return
}
// expected-error @below {{@apply exists already; have the entries been made?}}
func.func @apply() {
  return
}

// -----

// expected-error @below {{@microbatch has no gradients to apply}}
module {
  func.func @microbatch(%scale: tensor<f32> {tx.name = "loss_scale"}) {
    return
  }
}

// -----

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
// expected-error @below {{@microbatch does not store @w.grad}}
func.func @microbatch() {
  return
}

// -----

tx.global @v parameter : tensor<7x6xf32>
tx.global @w parameter : tensor<7x6xf64>
tx.global @v.grad gradient of @v : tensor<7x6xf32>
// expected-error @below {{and @v.grad have different element types, but one global norm}}
tx.global @w.grad gradient of @w : tensor<7x6xf64>
func.func @microbatch() {
  return
}

// -----

// expected-error @below {{@microbatch must have one block, has 0}}
func.func private @microbatch(tensor<f32> {tx.name = "loss_scale"})

// -----

// expected-error @below {{@dp is no batch axis, and a step is trained over batch axes alone; mark it 'batch' if each rank has samples of its own and all have the same parameters, else leave tx.train out and run functions}}
tx.mesh_axis @dp size 2
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch() {
  return
}

// -----

tx.mesh_axis @one size 1 tensor
tx.mesh_axis @dp size 2 batch
// expected-error @below {{@tp is no batch axis but one of kind tensor, and a step is trained over batch axes alone}}
tx.mesh_axis @tp size 2 tensor
tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch() {
  return
}

// -----

tx.global @w parameter : tensor<7x6xf32>
// expected-error @below {{@w.exp_avg exists already, and is the name of optimizer state of @w; give it another}}
tx.global @w.exp_avg parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch() {
  return
}
