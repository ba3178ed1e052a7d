// RUN: tx-opt %s --tx-run-checks

// SwiGLU: up times silu(gate), far from 0 too.

func.func @forward() {
  %gate = arith.constant dense<[[0.0, 1.0, -2.0, 30.0, -200.0]]> : tensor<1x5xf32>
  %up = arith.constant dense<[[3.0, 2.0, 0.5, -1.0, 1.0]]> : tensor<1x5xf32>
  %y = tx.swiglu %gate, %up in <"mlp_act"> : tensor<1x5xf32>
  check.near %y, dense<[[0.0, 1.4621172, -0.11920292, -30.0, 0.0]]> : tensor<1x5xf32> within absolute 1.0e-7 relative 1.0e-6
  return
}

func.func @gradients() {
  %dy = arith.constant dense<[[1.0, 2.0, -1.0, 1.0, 1.0]]> : tensor<1x5xf32>
  %gate = arith.constant dense<[[0.0, 1.0, -2.0, 30.0, -200.0]]> : tensor<1x5xf32>
  %up = arith.constant dense<[[3.0, 2.0, 0.5, -1.0, 1.0]]> : tensor<1x5xf32>
  %dgate, %dup = tx.swiglu_grad %dy, %gate, %up in <backward, "mlp_act"> : tensor<1x5xf32>
  check.near %dgate, dense<[[1.5, 3.7106820, 0.04539213, -1.0, 0.0]]> : tensor<1x5xf32> within absolute 1.0e-7 relative 1.0e-6
  check.near %dup, dense<[[0.0, 1.4621172, 0.23840584, 30.0, 0.0]]> : tensor<1x5xf32> within absolute 1.0e-7 relative 1.0e-6
  return
}
