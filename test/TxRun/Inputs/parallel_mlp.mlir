// Two layers in which ranks work together: one sums, one gathers and scatters.
tx.mesh_axis @dp size 2 batch
tx.global @w parameter normal(0.2) decay : tensor<64x8xf32>
tx.global @v parameter normal(0.2) decay : tensor<8x16xf32>
tx.global @u parameter normal(0.2) decay : tensor<16x8xf32>
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<64x8xf32>
  %v = tx.load @v : tensor<8x16xf32>
  %u = tx.load @u : tensor<16x8xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<64x8xf32>
  %h0 = tx.linear %x, %v in <layer 0, "mlp.fc1"> : tensor<2x4x8xf32>, tensor<8x16xf32> -> tensor<2x4x16xf32>
  %a0 = tx.gelu %h0 in <layer 0, "mlp.mlp_act"> : tensor<2x4x16xf32>
  %p0 = tx.linear %a0, %u in <layer 0, "mlp.fc2"> : tensor<2x4x16xf32>, tensor<16x8xf32> -> tensor<2x4x8xf32>
  %s0 = tx.all_reduce %p0 on @dp in <layer 0, "mlp.fc2"> : tensor<2x4x8xf32>
  %g0 = tx.gelu %s0 in <layer 0, "mlp.out_act"> : tensor<2x4x8xf32>
  %y0 = tx.add %x, %g0 in <layer 0, "mlp_residual"> : tensor<2x4x8xf32>
  %n1 = tx.gelu %y0 in <layer 1, "mlp.in_act"> : tensor<2x4x8xf32>
  %all = tx.all_gather %n1 dim 1 on @dp in <layer 1, "mlp.fc1"> : tensor<2x4x8xf32> -> tensor<2x8x8xf32>
  %h1 = tx.linear %all, %v in <layer 1, "mlp.fc1"> : tensor<2x8x8xf32>, tensor<8x16xf32> -> tensor<2x8x16xf32>
  %a1 = tx.gelu %h1 in <layer 1, "mlp.mlp_act"> : tensor<2x8x16xf32>
  %p1 = tx.linear %a1, %u in <layer 1, "mlp.fc2"> : tensor<2x8x16xf32>, tensor<16x8xf32> -> tensor<2x8x8xf32>
  %s1 = tx.reduce_scatter %p1 dim 1 on @dp in <layer 1, "mlp.fc2"> : tensor<2x8x8xf32> -> tensor<2x4x8xf32>
  %g1 = tx.gelu %s1 in <layer 1, "mlp.out_act"> : tensor<2x4x8xf32>
  %y1 = tx.add %y0, %g1 in <layer 1, "mlp_residual"> : tensor<2x4x8xf32>
  %logits = tx.linear %y1, %w transposed in <"output_layer"> : tensor<2x4x8xf32>, tensor<64x8xf32> -> tensor<2x4x64xf32>
  %losses, %lse = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x4x64xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %total = tx.all_reduce %sum on @dp in <"loss"> : tensor<f32>
  %valid = tx.all_reduce %count on @dp in <"loss"> : tensor<f32>
  return %total, %valid : tensor<f32>, tensor<f32>
}
