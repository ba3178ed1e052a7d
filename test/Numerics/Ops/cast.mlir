// RUN: tx-opt %s --tx-run-checks

// Numbers as another type has them: rounded once, to nearest, ties to even.

func.func @to_bf16() {
  // Ties; the largest and beyond; denormals, and half of the smallest; infinity; NaN.
  %x = arith.constant dense<[0x3F808000, 0x3F818000, 0x3F808001, 0x7F7F7FFF, 0xFF7F8000, 0x00018000, 0x80008000, 0x80008001,
                             0x007FFFFF, 0xFF800000, 0x7F800001]> : tensor<11xf32>
  %y = tx.cast %x in <"x"> : tensor<11xf32> to tensor<11xbf16>
  check.equal %y, dense<[0x3F80, 0x3F82, 0x3F81, 0x7F7F, 0xFF80, 0x0002, 0x8000, 0x8001,
                         0x0080, 0xFF80, 0x7FC0]> : tensor<11xbf16>
  return
}

// Every bf16 is an f32.
func.func @to_f32() {
  %x = arith.constant dense<[1.5, -0.0, 0x0001, 0x7F80, 0x7FC0]> : tensor<5xbf16>
  %y = tx.cast %x in <"x"> : tensor<5xbf16> to tensor<5xf32>
  check.equal %y, dense<[1.5, -0.0, 0x00010000, 0x7F800000, 0x7FC00000]> : tensor<5xf32>
  return
}

func.func @to_itself() {
  %x = arith.constant dense<[0.1, -0.0, 0x00000001, 0x7F800000]> : tensor<4xf32>
  %y = tx.cast %x in <"x"> : tensor<4xf32> to tensor<4xf32>
  check.equal %y, dense<[0.1, -0.0, 0x00000001, 0x7F800000]> : tensor<4xf32>
  return
}

// From more digits than f32 has: 2^-50 above a tie is above.
func.func @from_f64() {
  %x = arith.constant dense<[0x3FF0100000000000, 0x3FF0100000000004, 0x3FF0300000000000, 3.4e38]> : tensor<4xf64>
  %y = tx.cast %x in <"x"> : tensor<4xf64> to tensor<4xbf16>
  check.equal %y, dense<[0x3F80, 0x3F81, 0x3F82, 0x7F80]> : tensor<4xbf16>
  %z = tx.cast %x in <"x"> : tensor<4xf64> to tensor<4xf64>
  check.equal %z, dense<[0x3FF0100000000000, 0x3FF0100000000004, 0x3FF0300000000000, 3.4e38]> : tensor<4xf64>
  return
}
