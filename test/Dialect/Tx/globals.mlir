// Globals, loads and stores keep their form through text, pretty and generic.
// RUN: tx-opt %s | tx-opt | FileCheck %s
// RUN: tx-opt %s --mlir-print-op-generic | tx-opt | FileCheck %s

// CHECK: tx.global @wte.weight parameter normal(0.0040824829046386306) decay : tensor<7x6xbf16>
tx.global @wte.weight parameter normal(0.0040824829046386306) decay : tensor<7x6xbf16>
// CHECK: tx.global @ln.weight parameter ones : tensor<6xf32>
tx.global @ln.weight parameter ones : tensor<6xf32>
// What is the default is not printed.
// CHECK: tx.global @ln.bias parameter : tensor<6xf32>
tx.global @ln.bias parameter zeros : tensor<6xf32>
// CHECK: tx.global @scalar parameter : tensor<f64>
tx.global @scalar parameter : tensor<f64>

// A gradient is wider than its parameter, a master copy too.
// CHECK: tx.global @wte.weight.grad gradient of @wte.weight : tensor<7x6xf32>
tx.global @wte.weight.grad gradient of @wte.weight : tensor<7x6xf32>
// CHECK: tx.global @wte.weight.exp_avg moment1 of @wte.weight : tensor<7x6xf32>
tx.global @wte.weight.exp_avg moment1 of @wte.weight : tensor<7x6xf32>
// CHECK: tx.global @wte.weight.exp_avg_sq moment2 of @wte.weight : tensor<7x6xf32>
tx.global @wte.weight.exp_avg_sq moment2 of @wte.weight : tensor<7x6xf32>
// CHECK: tx.global @wte.weight.master master of @wte.weight : tensor<7x6xf32>
tx.global @wte.weight.master master of @wte.weight : tensor<7x6xf32>

// The parts may stand in any order; other attributes stay.
// CHECK: tx.global @b parameter ones decay {tx.note = "b"} : tensor<3xf32>
tx.global @b parameter decay ones {tx.note = "b"} : tensor<3xf32>

// CHECK-LABEL: func.func @copy
func.func @copy() {
  // CHECK: %[[W:.*]] = tx.load @wte.weight : tensor<7x6xbf16>
  %w = tx.load @wte.weight : tensor<7x6xbf16>
  // CHECK: tx.store %[[W]], @wte.weight : tensor<7x6xbf16>
  tx.store %w, @wte.weight : tensor<7x6xbf16>
  return
}
