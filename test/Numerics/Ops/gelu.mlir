// RUN: tx-opt %s --tx-run-checks

// GELU in its tanh form: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).

func.func @forward() {
  %x = arith.constant dense<[0.0, 1.0, -1.0, 3.0, -3.0, 0.5]> : tensor<6xf32>
  %y = tx.gelu %x in <"act"> : tensor<6xf32>
  check.near %y, dense<[0.0, 0.84119199, -0.15880801, 2.9963626, -0.0036373921, 0.34571401]> : tensor<6xf32> within absolute 4.0e-7
  return
}

func.func @gradient() {
  %dy = arith.constant dense<[1.0, 1.0, 2.0, -1.0, 1.0, 0.5]> : tensor<6xf32>
  %x = arith.constant dense<[0.0, 1.0, -1.0, 3.0, -3.0, 0.5]> : tensor<6xf32>
  %dx = tx.gelu_grad %dy, %x in <backward, "act"> : tensor<6xf32>
  check.near %dx, dense<[0.5, 1.0829641, -0.16592817, -1.0115842, -0.011584167, 0.43368495]> : tensor<6xf32> within absolute 1.0e-6
  return
}

// Far out it is x, or 0 with x's sign; NaN stays in its lane.
func.func @ends() {
  %x = arith.constant dense<[1.0, 0x7FC00000, 1.0e30, -1.0e3]> : tensor<4xf32>
  %y = tx.gelu %x in <"act"> : tensor<4xf32>
  check.near %y, dense<[0.84119199, 0x7FC00000, 1.0e30, 0.0]> : tensor<4xf32> within absolute 4.0e-7
  return
}

// More than one vector, and a tail: lanes do not depend on each other.
func.func @long_rows() {
  %x = check.random seed 1 from -6.0 to 6.0 : tensor<3x77xf32>
  %head = tx.slice %x 0 size 5 in <"x"> : tensor<3x77xf32>
  %y = tx.gelu %x in <"act"> : tensor<3x77xf32>
  %y_head = tx.slice %y 0 size 5 in <"x"> : tensor<3x77xf32>
  %head_y = tx.gelu %head in <"act"> : tensor<3x5xf32>
  check.equal %y_head, %head_y : tensor<3x5xf32>
  return
}

func.func @bf16() {
  %x = arith.constant dense<[-2.0, -1.0, 0.0, 1.0, 2.0]> : tensor<5xbf16>
  %y = tx.gelu %x in <"act"> : tensor<5xbf16>
  check.equal %y, dense<[-0.045410156, -0.15917969, 0.0, 0.83984375, 1.953125]> : tensor<5xbf16>
  return
}
