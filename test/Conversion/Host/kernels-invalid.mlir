// RUN: tx-opt --tx-lower-kernels-to-vector --split-input-file --verify-diagnostics %s

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // expected-error @+1 {{has a buffer of 'tensor<2x16xf64>'; the host computes on f32, bf16, i32 and i1}}
  step.kernel @k row [2, 16] (%a: tensor<2x16xf64>) {
    %y = tx.gelu %a in <"mlp"> : tensor<2x16xf64>
    step.yield %y : tensor<2x16xf64>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @k row [2, 16] (%a: tensor<2x16xf32>, %key: tensor<4xi32>) {
    // expected-error @+1 {{has no attribute 'step.immediate': the immediate with its site's hash}}
    %y = tx.dropout %a, %key p 0.5 in <"mlp"> : tensor<2x16xf32>, tensor<4xi32>
    step.yield %y : tensor<2x16xf32>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @k row [2, 16] immediates 1 (%a: tensor<2x16xf32>, %key: tensor<4xi32>) {
    // expected-error @+1 {{uses immediate 3 of a kernel with 1}}
    %y = tx.dropout %a, %key p 0.5 in <"mlp"> {step.immediate = 3 : i64} : tensor<2x16xf32>, tensor<4xi32>
    step.yield %y : tensor<2x16xf32>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // Rows of targets that are apart are not a sequence.
  step.kernel @apart row [1, 6] strides [5, 0, 0, 0] (%l: tensor<2x3xf32>, %t: tensor<2x3xi32>) {
    // expected-error @+1 {{takes an operand whose rows follow each other}}
    %sum, %count = tx.reduce_loss %l, %t ignore -100 in <"loss"> : tensor<2x3xf32>, tensor<2x3xi32>
    step.yield %sum, %count : tensor<f32>, tensor<f32>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @k column [2, 16] (%x: tensor<2x16xf32>, %acc: tensor<16xf32>) {
    // expected-error @+1 {{adds into memory, and its kernel has 2 buffers for a result}}
    %g = tx.bias_grad %x into %acc in <backward, "fc1"> : tensor<2x16xf32>, tensor<16xf32>
    step.yield %g, %g : tensor<16xf32>, tensor<16xf32>
  }
}

// -----

// What a row has one of is used as if it had columns: they are alike with one column.
step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @k row [2, 1] (%x: tensor<2x1x1xf32>, %t: tensor<2x1xi32>) {
    %l, %lse = tx.cross_entropy %x, %t ignore -100 in <"loss"> : tensor<2x1x1xf32>, tensor<2x1xi32>
    // expected-error @+1 {{cannot share a kernel with the op that computes its operand: both use it differently}}
    %y = tx.gelu %l in <"mlp"> : tensor<2x1xf32>
    step.yield %y : tensor<2x1xf32>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @k row [8, 6] strides [5, 0, 0] (%t: tensor<2x4xi32>, %table: tensor<7x6xf32>) {
    // expected-error @+1 {{takes an operand whose elements follow each other}}
    %x = tx.embedding %t, %table in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
    step.yield %x : tensor<2x4x6xf32>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @k row [1, 8] (%l: tensor<2x4xf32>, %t: tensor<2x4xi32>) {
    %sum, %count = tx.reduce_loss %l, %t ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
    // expected-error @+1 {{cannot share a kernel with the op that computes its scalar operand}}
    %y = tx.reduce_loss_grad %sum, %t ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
    step.yield %y : tensor<2x4xf32>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @k row [8, 6] (%t: tensor<2x4xi32>, %a: tensor<8x6xf32>) {
    %table = tx.gelu %a in <"embedding"> : tensor<8x6xf32>
    // expected-error @+1 {{cannot share a kernel with the op that computes its table}}
    %x = tx.embedding %t, %table in <"embedding"> : tensor<2x4xi32>, tensor<8x6xf32>
    step.yield %x : tensor<2x4x6xf32>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @k row [8, 6] strides [0, 0, 5, 0] (%x: tensor<2x4x6xf32>, %t: tensor<2x4xi32>) {
    // expected-error @+1 {{writes a buffer whose elements do not follow each other}}
    %l, %stats = tx.cross_entropy %x, %t ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
    step.yield %l, %stats : tensor<2x4xf32>, tensor<2x4x2xf32>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @k column [2, 16] (%x: tensor<2x16xf32>, %acc: tensor<16xf32>) {
    %g = tx.bias_grad %x into %acc in <backward, "fc1"> : tensor<2x16xf32>, tensor<16xf32>
    // expected-error @+1 {{cannot share a kernel with the op that computes its operand}}
    %h = tx.bias_grad %x into %g in <backward, "fc1"> : tensor<2x16xf32>, tensor<16xf32>
    step.yield %g, %h : tensor<16xf32>, tensor<16xf32>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // expected-error @+1 {{sums rows in parts, as GPU kernels do; host kernels of columns sum them whole}}
  step.kernel @parts row [4, 16] (%x: tensor<4x16xf32>, %s: tensor<4xf32>) {
    %w, %b = tx.layer_norm_partial_grad %x, %x, %s, %s in <backward, "norm"> : tensor<4x16xf32>, tensor<4xf32> -> tensor<2x16xf32>
    step.yield %w, %b : tensor<2x16xf32>, tensor<2x16xf32>
  }
}
