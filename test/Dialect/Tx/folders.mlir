// What folds, what merges and what is dropped.
// RUN: tx-opt %s --canonicalize --split-input-file | FileCheck %s --check-prefixes=CHECK,FOLD
// RUN: tx-opt %s --cse --split-input-file | FileCheck %s --check-prefixes=CHECK,CSE

// A dropout that drops nothing is its input; any other stays.
// CHECK-LABEL: func.func @dropout
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<2x3xf32>
func.func @dropout(%x: tensor<2x3xf32>, %key: tensor<4xi32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %0 = tx.dropout %x, %key p 0.0 in <"a"> : tensor<2x3xf32>, tensor<4xi32>
  %1 = tx.dropout %x, %key p 1.0e-9 in <"a"> : tensor<2x3xf32>, tensor<4xi32>
  // FOLD-NEXT: %[[KEPT:.*]] = tx.dropout %[[X]], %{{.*}} p 1.000000e-09
  // FOLD-NEXT: return %[[X]], %[[KEPT]]
  // CSE-COUNT-2: tx.dropout
  return %0, %1 : tensor<2x3xf32>, tensor<2x3xf32>
}

// -----

// Equal ops are one, but not across segments: a recomputation stays.
// CHECK-LABEL: func.func @segments
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<2x3xf32>
func.func @segments(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %0 = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x3xf32>
  %1 = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x3xf32>
  %2 = tx.gelu %x in <recompute, layer 0, "mlp.mlp_act"> : tensor<2x3xf32>
  // CSE-NEXT: %[[Y:.*]] = tx.gelu %[[X]] in <layer 0, "mlp.mlp_act">
  // CSE-NEXT: %[[Z:.*]] = tx.gelu %[[X]] in <recompute, layer 0, "mlp.mlp_act">
  // CSE-NEXT: return %[[Y]], %[[Y]], %[[Z]]
  // FOLD-COUNT-3: tx.gelu
  return %0, %1, %2 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// -----

// Masks of two sites are two masks.
// CHECK-LABEL: func.func @sites
func.func @sites(%x: tensor<2x3xf32>, %key: tensor<4xi32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  // CHECK-COUNT-2: tx.dropout
  %0 = tx.dropout %x, %key p 0.5 in <layer 0, "residual"> : tensor<2x3xf32>, tensor<4xi32>
  %1 = tx.dropout %x, %key p 0.5 in <layer 1, "residual"> : tensor<2x3xf32>, tensor<4xi32>
  return %0, %1 : tensor<2x3xf32>, tensor<2x3xf32>
}

// -----

// Pure ops and loads that nobody uses vanish; stores stay, and a load after one.
tx.global @w parameter : tensor<2x3xf32>
// CHECK-LABEL: func.func @effects
// CHECK-SAME: %[[X:[a-z0-9]*]]: tensor<2x3xf32>
func.func @effects(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %unused = tx.load @w : tensor<2x3xf32>
  %dead = tx.gelu %unused in <"a"> : tensor<2x3xf32>
  // CHECK-NEXT: %[[BEFORE:.*]] = tx.load @w
  %before = tx.load @w : tensor<2x3xf32>
  // CHECK-NEXT: tx.store %[[X]], @w
  tx.store %x, @w : tensor<2x3xf32>
  // CHECK-NEXT: %[[AFTER:.*]] = tx.load @w
  %after = tx.load @w : tensor<2x3xf32>
  // CHECK-NEXT: return %[[BEFORE]], %[[AFTER]]
  return %before, %after : tensor<2x3xf32>, tensor<2x3xf32>
}
