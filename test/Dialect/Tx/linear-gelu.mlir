// A product and GELU in one keep their form through text.
// RUN: tx-opt %s | tx-opt | FileCheck %s

// CHECK-LABEL: func.func @f
func.func @f(%x: tensor<2x4x6xbf16>, %w: tensor<6x8xbf16>, %t: tensor<8x6xbf16>, %b: tensor<8xbf16>, %dy: tensor<2x4x8xbf16>, %p: tensor<2x4x6xbf16>) {
  // CHECK: %{{.*}}, %{{.*}} = tx.linear_gelu %[[X:.*]], %[[W:.*]] bias %[[B:.*]] in <layer 0, "mlp.fc1"> : tensor<2x4x6xbf16>, tensor<6x8xbf16>, tensor<8xbf16> -> tensor<2x4x8xbf16>
  %y, %pre = tx.linear_gelu %x, %w bias %b in <layer 0, "mlp.fc1"> : tensor<2x4x6xbf16>, tensor<6x8xbf16>, tensor<8xbf16> -> tensor<2x4x8xbf16>
  // CHECK: %{{.*}}, %{{.*}} = tx.linear_gelu %[[X]], %[[T:.*]] transposed in <layer 0, "mlp.fc1"> : tensor<2x4x6xbf16>, tensor<8x6xbf16> -> tensor<2x4x8xf32>
  %z, %zpre = tx.linear_gelu %x, %t transposed in <layer 0, "mlp.fc1"> : tensor<2x4x6xbf16>, tensor<8x6xbf16> -> tensor<2x4x8xf32>
  // CHECK: %{{.*}} = tx.linear_gelu_input_grad %[[DY:.*]], %[[W]], %[[P:.*]] in <backward, layer 0, "mlp.fc2"> : tensor<2x4x8xbf16>, tensor<6x8xbf16> -> tensor<2x4x6xbf16>{{$}}
  %d = tx.linear_gelu_input_grad %dy, %w, %p in <backward, layer 0, "mlp.fc2"> : tensor<2x4x8xbf16>, tensor<6x8xbf16> -> tensor<2x4x6xbf16>
  // CHECK: %{{.*}}, %{{.*}} = tx.linear_gelu_input_grad %[[DY]], %[[T]], %[[P]] transposed in <backward, layer 0, "mlp.fc2"> : tensor<2x4x8xbf16>, tensor<8x6xbf16> -> tensor<2x4x6xbf16> sums tensor<6xbf16>
  %e, %sums = tx.linear_gelu_input_grad %dy, %t, %p transposed in <backward, layer 0, "mlp.fc2"> : tensor<2x4x8xbf16>, tensor<8x6xbf16> -> tensor<2x4x6xbf16> sums tensor<6xbf16>
  return
}
