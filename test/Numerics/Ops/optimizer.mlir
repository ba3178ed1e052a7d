// RUN: tx-opt %s --tx-run-checks

// AdamW, the norm of the gradients and what it clips.

func.func @adamw() {
  %p = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf32>
  %g = arith.constant dense<[0.1, -0.2, 0.3]> : tensor<3xf32>
  %m = arith.constant dense<[0.01, 0.02, -0.03]> : tensor<3xf32>
  %v = arith.constant dense<[0.5, 0.25, 1.0]> : tensor<3xf32>
  %clip = arith.constant dense<0.5> : tensor<f32>
  %lr = arith.constant dense<0.02> : tensor<f32>
  %t = arith.constant dense<3> : tensor<i32>
  %p1, %m1, %v1 = tx.adamw %p, %g, %m, %v clip %clip lr %lr step %t betas 0.9, 0.95 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<3xf32>, tensor<3xf32>
  check.near %p1, dense<[0.99743391, -1.996457, 0.49934294]> : tensor<3xf32> within absolute 5.0e-7
  check.near %m1, dense<[0.014, 0.008, -0.012]> : tensor<3xf32> within absolute 5.0e-7
  check.near %v1, dense<[0.475125, 0.238, 0.951125]> : tensor<3xf32> within absolute 5.0e-7
  return
}

// A norm that is no number undoes the step: nothing changes.
func.func @adamw_undone() {
  %p = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf32>
  %g = arith.constant dense<[0.1, -0.2, 0.3]> : tensor<3xf32>
  %m = arith.constant dense<[0.01, 0.02, -0.03]> : tensor<3xf32>
  %v = arith.constant dense<[0.5, 0.25, 1.0]> : tensor<3xf32>
  %clip = arith.constant dense<0x7FC00000> : tensor<f32>
  %lr = arith.constant dense<0.02> : tensor<f32>
  %t = arith.constant dense<3> : tensor<i32>
  %p1, %m1, %v1 = tx.adamw %p, %g, %m, %v clip %clip lr %lr step %t betas 0.9, 0.95 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<3xf32>, tensor<3xf32>
  check.equal %p1, dense<[1.0, -2.0, 0.5]> : tensor<3xf32>
  check.equal %m1, dense<[0.01, 0.02, -0.03]> : tensor<3xf32>
  check.equal %v1, dense<[0.5, 0.25, 1.0]> : tensor<3xf32>
  return
}


// A sum for each 4096 elements; the last chunk is shorter.
func.func @sum_of_squares() {
  %g = arith.constant dense<2.0> : tensor<8200xf32>
  %sums = tx.sum_of_squares %g in <optimizer, "grad_norm"> : tensor<8200xf32>
  check.equal %sums, dense<[16384.0, 16384.0, 32.0]> : tensor<3xf32>
  return
}

// max / (norm + 1e-6), at most 1; 0 stands for no limit.
func.func @clip() {
  %sums = arith.constant dense<[9.0, 16.0]> : tensor<2xf32>
  %norm, %half = tx.clip_coefficient %sums max 2.5 in <optimizer, "grad_norm"> : tensor<2xf32>
  %norm1, %whole = tx.clip_coefficient %sums max 10.0 in <optimizer, "grad_norm"> : tensor<2xf32>
  %norm2, %off = tx.clip_coefficient %sums max 0.0 in <optimizer, "grad_norm"> : tensor<2xf32>
  check.equal %norm, dense<5.0> : tensor<f32>
  check.near %half, dense<0.5> : tensor<f32> within absolute 2.0e-6
  check.equal %whole, dense<1.0> : tensor<f32>
  check.equal %off, dense<1.0> : tensor<f32>
  return
}

// A gradient that overflowed must not train.
func.func @clip_of_no_number() {
  %sums = arith.constant dense<[1.0, 0x7F800000]> : tensor<2xf32>
  %norm, %none = tx.clip_coefficient %sums max 1.0 in <optimizer, "grad_norm"> : tensor<2xf32>
  check.equal %norm, dense<0x7F800000> : tensor<f32>
  check.equal %none, dense<0x7FC00000> : tensor<f32>
  return
}
