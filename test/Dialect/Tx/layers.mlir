// Embedding, norm, linear layers, activation and views keep their form through text.
// RUN: tx-opt %s | tx-opt | FileCheck %s
// RUN: tx-opt %s --mlir-print-op-generic | tx-opt | FileCheck %s

// CHECK-LABEL: func.func @embedding
func.func @embedding(%tokens: tensor<2x4xi32>, %table: tensor<7x6xbf16>, %positions: tensor<8x6xbf16>, %acc: tensor<7x6xf32>, %pacc: tensor<8x6xf32>, %first: tensor<i1>) {
  // CHECK: %[[X:.*]] = tx.embedding %{{.*}}, %{{.*}} in <"embedding"> : tensor<2x4xi32>, tensor<7x6xbf16>
  %x = tx.embedding %tokens, %table in <"embedding"> : tensor<2x4xi32>, tensor<7x6xbf16>
  // CHECK: tx.add_positions %[[X]], %{{.*}} in <"embedding"> : tensor<2x4x6xbf16>, tensor<8x6xbf16>
  %y = tx.add_positions %x, %positions in <"embedding"> : tensor<2x4x6xbf16>, tensor<8x6xbf16>
  // CHECK: tx.embedding_weight_grad %{{.*}}, %[[X]] into %{{.*}} reset %{{.*}} in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xbf16>, tensor<7x6xf32>, tensor<i1>
  %g = tx.embedding_weight_grad %tokens, %x into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xbf16>, tensor<7x6xf32>, tensor<i1>
  // CHECK: tx.embedding_weight_grad %{{.*}}, %[[X]] into %{{.*}} in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xbf16>, tensor<7x6xf32>{{$}}
  %h = tx.embedding_weight_grad %tokens, %x into %g in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xbf16>, tensor<7x6xf32>
  // CHECK: tx.position_weight_grad %[[X]] into %{{.*}} reset %{{.*}} in <backward, "embedding"> : tensor<2x4x6xbf16>, tensor<8x6xf32>, tensor<i1>
  %p = tx.position_weight_grad %x into %pacc reset %first in <backward, "embedding"> : tensor<2x4x6xbf16>, tensor<8x6xf32>, tensor<i1>
  // CHECK: tx.position_weight_grad %[[X]] into %{{.*}} in <backward, "embedding"> : tensor<2x4x6xbf16>, tensor<8x6xf32>{{$}}
  %q = tx.position_weight_grad %x into %p in <backward, "embedding"> : tensor<2x4x6xbf16>, tensor<8x6xf32>
  return
}

// CHECK-LABEL: func.func @norm
func.func @norm(%x: tensor<2x4x6xbf16>, %w: tensor<6xf32>, %b: tensor<6xf32>, %first: tensor<i1>) {
  // The statistics are f32 whatever x is.
  // CHECK: %[[Y:.*]], %[[MEAN:.*]], %[[RSTD:.*]] = tx.layer_norm %[[X:.*]], %[[W:.*]], %[[B:.*]] eps 1.000000e-05 in <layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<6xf32>
  %y, %mean, %rstd = tx.layer_norm %x, %w, %b eps 1.0e-5 in <layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<6xf32>
  // CHECK: tx.layer_norm_input_grad %[[Y]], %[[X]], %[[W]], %[[MEAN]], %[[RSTD]] in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<6xf32>, tensor<2x4xf32>
  %dx = tx.layer_norm_input_grad %y, %x, %w, %mean, %rstd in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<6xf32>, tensor<2x4xf32>
  // CHECK: %[[GW:.*]], %[[GB:.*]] = tx.layer_norm_weight_grad %[[Y]], %[[X]], %[[MEAN]], %[[RSTD]] into %[[W]], %[[B]] reset %{{.*}} in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<2x4xf32>, tensor<6xf32>, tensor<6xf32> reset tensor<i1>
  %gw, %gb = tx.layer_norm_weight_grad %y, %x, %mean, %rstd into %w, %b reset %first in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<2x4xf32>, tensor<6xf32>, tensor<6xf32> reset tensor<i1>
  // CHECK: tx.layer_norm_weight_grad %[[Y]], %[[X]], %[[MEAN]], %[[RSTD]] into %[[GW]], %[[GB]] in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<2x4xf32>, tensor<6xf32>, tensor<6xf32>{{$}}
  %hw, %hb = tx.layer_norm_weight_grad %y, %x, %mean, %rstd into %gw, %gb in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<2x4xf32>, tensor<6xf32>, tensor<6xf32>
  // Of the weight alone.
  // CHECK: tx.layer_norm_weight_grad %[[Y]], %[[X]], %[[MEAN]], %[[RSTD]] into %[[GW]] reset %{{.*}} in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<2x4xf32>, tensor<6xf32> reset tensor<i1>
  %aw = tx.layer_norm_weight_grad %y, %x, %mean, %rstd into %gw reset %first in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<2x4xf32>, tensor<6xf32> reset tensor<i1>
  // CHECK: %[[PW:.*]], %[[PB:.*]] = tx.layer_norm_partial_grad %[[Y]], %[[X]], %[[MEAN]], %[[RSTD]] in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<2x4xf32> -> tensor<3x6xf32>
  %pw, %pb = tx.layer_norm_partial_grad %y, %x, %mean, %rstd in <backward, layer 0, "layernorm.input"> : tensor<2x4x6xbf16>, tensor<2x4xf32> -> tensor<3x6xf32>
  // CHECK: tx.add_parts %[[PW]], %[[PB]] into %[[GW]], %[[GB]] reset %{{.*}} in <backward, layer 0, "layernorm.input"> : tensor<3x6xf32>, tensor<3x6xf32> into tensor<6xf32>, tensor<6xf32> reset tensor<i1>
  %sw:2 = tx.add_parts %pw, %pb into %gw, %gb reset %first in <backward, layer 0, "layernorm.input"> : tensor<3x6xf32>, tensor<3x6xf32> into tensor<6xf32>, tensor<6xf32> reset tensor<i1>
  return
}

// CHECK-LABEL: func.func @linear
func.func @linear(%x: tensor<2x4x6xbf16>, %w: tensor<6x8xbf16>, %b: tensor<8xbf16>, %table: tensor<7x6xbf16>, %acc: tensor<6x8xf32>, %tacc: tensor<7x6xf32>, %bacc: tensor<8xf32>, %first: tensor<i1>) {
  // CHECK: %[[Y:.*]] = tx.linear %[[X:.*]], %[[W:.*]] bias %[[B:.*]] in <layer 0, "mlp.fc1"> : tensor<2x4x6xbf16>, tensor<6x8xbf16>, tensor<8xbf16> -> tensor<2x4x8xbf16>
  %y = tx.linear %x, %w bias %b in <layer 0, "mlp.fc1"> : tensor<2x4x6xbf16>, tensor<6x8xbf16>, tensor<8xbf16> -> tensor<2x4x8xbf16>
  // The result may be wider.
  // CHECK: %[[Z:.*]] = tx.linear %[[X]], %[[T:.*]] transposed in <"output_layer"> : tensor<2x4x6xbf16>, tensor<7x6xbf16> -> tensor<2x4x7xf32>
  %z = tx.linear %x, %table transposed in <"output_layer"> : tensor<2x4x6xbf16>, tensor<7x6xbf16> -> tensor<2x4x7xf32>
  // CHECK: tx.linear_input_grad %[[Y]], %[[W]] in <backward, layer 0, "mlp.fc1"> : tensor<2x4x8xbf16>, tensor<6x8xbf16> -> tensor<2x4x6xbf16>
  %dx = tx.linear_input_grad %y, %w in <backward, layer 0, "mlp.fc1"> : tensor<2x4x8xbf16>, tensor<6x8xbf16> -> tensor<2x4x6xbf16>
  // CHECK: %[[DZ:.*]] = tx.cast %[[Z]] in <backward, "output_layer"> : tensor<2x4x7xf32> to tensor<2x4x7xbf16>
  %dz = tx.cast %z in <backward, "output_layer"> : tensor<2x4x7xf32> to tensor<2x4x7xbf16>
  // CHECK: tx.linear_input_grad %[[DZ]], %[[T]] transposed in <backward, "output_layer"> : tensor<2x4x7xbf16>, tensor<7x6xbf16> -> tensor<2x4x6xbf16>
  %dt = tx.linear_input_grad %dz, %table transposed in <backward, "output_layer"> : tensor<2x4x7xbf16>, tensor<7x6xbf16> -> tensor<2x4x6xbf16>
  // CHECK: %[[G:.*]] = tx.linear_weight_grad %[[X]], %[[Y]] into %{{.*}} reset %{{.*}} in <backward, layer 0, "mlp.fc1"> : tensor<2x4x6xbf16>, tensor<2x4x8xbf16>, tensor<6x8xf32>, tensor<i1>
  %g = tx.linear_weight_grad %x, %y into %acc reset %first in <backward, layer 0, "mlp.fc1"> : tensor<2x4x6xbf16>, tensor<2x4x8xbf16>, tensor<6x8xf32>, tensor<i1>
  // CHECK: %[[S:.*]], %{{.*}} = tx.linear_weight_grad %[[X]], %[[Y]] into %[[G]] in <backward, layer 0, "mlp.fc1"> : tensor<2x4x6xbf16>, tensor<2x4x8xbf16>, tensor<6x8xf32> sums tensor<8xf32>
  %s, %sums = tx.linear_weight_grad %x, %y into %g in <backward, layer 0, "mlp.fc1"> : tensor<2x4x6xbf16>, tensor<2x4x8xbf16>, tensor<6x8xf32> sums tensor<8xf32>
  // CHECK: tx.linear_weight_grad %[[X]], %[[DZ]] into %{{.*}} transposed in <backward, "output_layer"> : tensor<2x4x6xbf16>, tensor<2x4x7xbf16>, tensor<7x6xf32>{{$}}
  %h = tx.linear_weight_grad %x, %dz into %tacc transposed in <backward, "output_layer"> : tensor<2x4x6xbf16>, tensor<2x4x7xbf16>, tensor<7x6xf32>
  // CHECK: %[[GB:.*]] = tx.bias_grad %[[Y]] into %{{.*}} reset %{{.*}} in <backward, layer 0, "mlp.fc1"> : tensor<2x4x8xbf16>, tensor<8xf32>, tensor<i1>
  %gb = tx.bias_grad %y into %bacc reset %first in <backward, layer 0, "mlp.fc1"> : tensor<2x4x8xbf16>, tensor<8xf32>, tensor<i1>
  // CHECK: tx.bias_grad %[[Y]] into %[[GB]] in <backward, layer 0, "mlp.fc1"> : tensor<2x4x8xbf16>, tensor<8xf32>{{$}}
  %hb = tx.bias_grad %y into %gb in <backward, layer 0, "mlp.fc1"> : tensor<2x4x8xbf16>, tensor<8xf32>
  // CHECK: tx.broadcast_rows %[[B]] in <layer 0, "mlp.fc1"> : tensor<8xbf16> -> tensor<2x4x8xbf16>
  %r = tx.broadcast_rows %b in <layer 0, "mlp.fc1"> : tensor<8xbf16> -> tensor<2x4x8xbf16>
  return
}

// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%x: tensor<2x4x6xbf16>, %key: tensor<4xi32>, %scalar: tensor<f64>) {
  // CHECK: tx.zeros in <backward, layer 0, "self_attention.qkv"> : tensor<2x4x6xf32>
  %zeros = tx.zeros in <backward, layer 0, "self_attention.qkv"> : tensor<2x4x6xf32>
  // CHECK: tx.add %{{.*}}, %{{.*}} in <layer 0, "residual"> : tensor<2x4x6xbf16>
  %0 = tx.add %x, %x in <layer 0, "residual"> : tensor<2x4x6xbf16>
  // Any rank will do.
  // CHECK: tx.add %{{.*}}, %{{.*}} in <"residual"> : tensor<f64>
  %1 = tx.add %scalar, %scalar in <"residual"> : tensor<f64>
  // CHECK: tx.gelu %{{.*}} in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xbf16>
  %2 = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xbf16>
  // CHECK: tx.gelu_grad %{{.*}}, %{{.*}} in <backward, layer 0, "mlp.mlp_act"> : tensor<2x4x6xbf16>
  %3 = tx.gelu_grad %x, %2 in <backward, layer 0, "mlp.mlp_act"> : tensor<2x4x6xbf16>
  // CHECK: tx.dropout %{{.*}}, %{{.*}} p 1.000000e-01 in <layer 0, "residual"> : tensor<2x4x6xbf16>, tensor<4xi32>
  %4 = tx.dropout %x, %key p 0.1 in <layer 0, "residual"> : tensor<2x4x6xbf16>, tensor<4xi32>
  return
}

// CHECK-LABEL: func.func @views
func.func @views(%qkv: tensor<2x4x18xbf16>) {
  // CHECK: %[[K:.*]] = tx.slice %{{.*}} 6 size 6 in <layer 0, "self_attention.qkv"> : tensor<2x4x18xbf16>
  %k = tx.slice %qkv 6 size 6 in <layer 0, "self_attention.qkv"> : tensor<2x4x18xbf16>
  // All columns, and the last one alone.
  // CHECK: tx.slice %{{.*}} 0 size 18
  %all = tx.slice %qkv 0 size 18 in <layer 0, "self_attention.qkv"> : tensor<2x4x18xbf16>
  // CHECK: %[[LAST:.*]] = tx.slice %{{.*}} 17 size 1
  %last = tx.slice %qkv 17 size 1 in <layer 0, "self_attention.qkv"> : tensor<2x4x18xbf16>
  // CHECK: %[[WIDE:.*]] = tx.concat %[[K]], %[[LAST]] in <layer 0, "self_attention.qkv"> : tensor<2x4x6xbf16>, tensor<2x4x1xbf16>
  %wide = tx.concat %k, %last in <layer 0, "self_attention.qkv"> : tensor<2x4x6xbf16>, tensor<2x4x1xbf16>
  // CHECK: tx.concat %[[WIDE]] in <layer 0, "self_attention.qkv"> : tensor<2x4x7xbf16>
  %one = tx.concat %wide in <layer 0, "self_attention.qkv"> : tensor<2x4x7xbf16>
  return
}
