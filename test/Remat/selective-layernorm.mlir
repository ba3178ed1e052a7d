// One clone gives back the norm's output and its statistics; the norm outside of the layers is not touched.
// RUN: tx-opt %s --tx-rematerialize="granularity=selective modules=layernorm" | FileCheck %s

// CHECK-LABEL: func.func @norm
// CHECK-SAME: %[[X:[^:]*]]: tensor<2x4x6xf32>
func.func @norm(%x: tensor<2x4x6xf32>, %w: tensor<6xf32>, %b: tensor<6xf32>, %dy: tensor<2x4x6xf32>, %acc: tensor<6x6xf32>)
    -> (tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<6x6xf32>) {
  %y, %mean, %rstd = tx.layer_norm %x, %w, %b eps 1.0e-5 in <layer 0, "layernorm.input"> : tensor<2x4x6xf32>, tensor<6xf32>
  // CHECK: %{{.*}}, %[[FM:.*]], %[[FR:.*]] = tx.layer_norm {{.*}} in <"final_layernorm">
  %z, %fmean, %frstd = tx.layer_norm %y, %w, %b eps 1.0e-5 in <"final_layernorm"> : tensor<2x4x6xf32>, tensor<6xf32>
  // CHECK-NEXT: %[[Y2:.*]], %[[MEAN2:.*]], %[[RSTD2:.*]] = tx.layer_norm %[[X]], {{.*}} in <recompute, layer 0, "layernorm.input">
  // CHECK-NEXT: tx.layer_norm_input_grad %{{.*}}, %[[Y2]], %{{.*}}, %[[FM]], %[[FR]] in <backward, "final_layernorm">
  %dz = tx.layer_norm_input_grad %dy, %y, %w, %fmean, %frstd in <backward, "final_layernorm"> : tensor<2x4x6xf32>, tensor<6xf32>, tensor<2x4xf32>
  // CHECK-NEXT: tx.linear_weight_grad %[[Y2]]
  %g = tx.linear_weight_grad %y, %dz into %acc in <backward, layer 0, "self_attention.qkv"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<6x6xf32>
  // CHECK-NEXT: tx.layer_norm_input_grad %{{.*}}, %[[X]], %{{.*}}, %[[MEAN2]], %[[RSTD2]] in <backward, layer 0
  %dx = tx.layer_norm_input_grad %dz, %x, %w, %mean, %rstd in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xf32>, tensor<6xf32>, tensor<2x4xf32>
  return %dz, %dx, %g : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<6x6xf32>
}
