// RUN: tx-opt --tx-lower-kernels-to-vector %s | FileCheck %s

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  // Behind the diagonal nothing is read; the last pass writes zeros there.
  // CHECK-LABEL: func.func @causal(
  // CHECK-SAME: %[[X:.*]]: memref<65536xf32>, %[[Y:.*]]: memref<65536xf32>
  // CHECK-DAG: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
  // CHECK: arith.remui
  // CHECK: %[[LIMIT:.*]] = arith.minsi
  // CHECK: scf.for %{{.*}} = %c0 to %[[LIMIT]] step %c64
  // CHECK: arith.cmpi sle
  // CHECK: %[[LAST:.*]] = arith.minsi
  // CHECK: scf.for %{{.*}} = %c0 to %{{.*}} step %c64
  // CHECK: scf.for %{{.*}} = %c0 to %[[LIMIT3:.*]] step %c64
  // CHECK: scf.for %{{.*}} = %[[LIMIT3]] to %c256 step %c64
  // CHECK-NOT: vector.load
  // CHECK-COUNT-4: vector.store %[[ZERO]], %[[Y]]
  step.kernel @causal row [256, 256] (%x: tensor<1x1x256x256xf32>) {
    %y = tx.softmax %x causal in <"core_attn"> : tensor<1x1x256x256xf32>
    step.yield %y : tensor<1x1x256x256xf32>
  }

  // The mask comes from the row's place, the key and the site's hash.
  // CHECK-LABEL: func.func @dropout(
  // CHECK-SAME: %{{.*}}: memref<4xi32>, %{{.*}}: memref<384xf32>, %[[IMMEDIATES:.*]]: memref<2xi32>
  // CHECK: memref.load %[[IMMEDIATES]][%c1]
  // CHECK: arith.remui
  // CHECK: arith.divui
  // CHECK-COUNT-20: arith.mului_extended
  // CHECK: arith.cmpi ult
  step.kernel @dropout row [6, 64] immediates 2 (%x: tensor<2x3x64xf32>, %key: tensor<4xi32>) {
    %y = tx.dropout %x, %key p 0.1 in <"core_attn"> {step.immediate = 1 : i64} : tensor<2x3x64xf32>, tensor<4xi32>
    step.yield %y : tensor<2x3x64xf32>
  }
}
