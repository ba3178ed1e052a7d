// RUN: tx-opt %s --tx-run-checks

// Sums, element by element, in each float type.

func.func @f32() {
  %x = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = arith.constant dense<[[0.5, -2.0, 10.0], [-4.5, 0.25, 1.0e3]]> : tensor<2x3xf32>
  %sum = tx.add %x, %y in <"residual"> : tensor<2x3xf32>
  check.equal %sum, dense<[[1.5, 0.0, 13.0], [-0.5, 5.25, 1006.0]]> : tensor<2x3xf32>
  return
}

// Rounded to nearest, ties to even: 1 + 2^-8 is a tie, to 1; 1 + 2^-7 + 2^-8 one to 1 + 2^-6. What is larger than
// the largest is infinite, and sums of denormals are denormal.
func.func @bf16() {
  %x = arith.constant dense<[0x3F80, 0x3F81, 0x7F7F, 0x0001, 0x7FC0, 0x7F80]> : tensor<6xbf16>
  %y = arith.constant dense<[0x3B80, 0x3B80, 0x7F7F, 0x0001, 0x3F80, 0xFF80]> : tensor<6xbf16>
  %sum = tx.add %x, %y in <"residual"> : tensor<6xbf16>
  check.equal %sum, dense<[0x3F80, 0x3F82, 0x7F80, 0x0002, 0x7FC0, 0x7FC0]> : tensor<6xbf16>
  return
}

// More than a vector: what f32 adds exactly is rounded once.
func.func @bf16_is_rounded_f32() {
  %x = check.random seed 1 from -500.0 to 500.0 : tensor<3x48xbf16>
  %y = check.random seed 2 from 0.0 to 16.0 : tensor<3x48xbf16>
  %sum = tx.add %x, %y in <"residual"> : tensor<3x48xbf16>
  %wide_x = tx.cast %x in <"x"> : tensor<3x48xbf16> to tensor<3x48xf32>
  %wide_y = tx.cast %y in <"x"> : tensor<3x48xbf16> to tensor<3x48xf32>
  %wide = tx.add %wide_x, %wide_y in <"residual"> : tensor<3x48xf32>
  %rounded = tx.cast %wide in <"x"> : tensor<3x48xf32> to tensor<3x48xbf16>
  check.equal %sum, %rounded : tensor<3x48xbf16>
  return
}

func.func @f64() {
  %x = arith.constant dense<[1.0, 2.0]> : tensor<2xf64>
  %y = arith.constant dense<[1.0e-15, -2.0]> : tensor<2xf64>
  %sum = tx.add %x, %y in <"residual"> : tensor<2xf64>
  check.equal %sum, dense<[1.000000000000001, 0.0]> : tensor<2xf64>
  return
}
