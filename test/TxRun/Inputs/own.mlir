// A model that no config describes: the table of tokens has two rows more than there are targets, id 0 is ignored, and
// nothing is random.
tx.global @in parameter normal(0.1) decay : tensor<9x8xf32>
tx.global @out parameter normal(0.1) decay : tensor<7x8xf32>
func.func @train(%ids: tensor<2x5xi32> {tx.name = "tokens"}, %next: tensor<2x5xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %in = tx.load @in : tensor<9x8xf32>
  %out = tx.load @out : tensor<7x8xf32>
  %x = tx.embedding %ids, %in in <"embedding"> : tensor<2x5xi32>, tensor<9x8xf32>
  %y = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x5x8xf32>
  %logits = tx.linear %y, %out transposed in <"output_layer"> : tensor<2x5x8xf32>, tensor<7x8xf32> -> tensor<2x5x7xf32>
  %losses, %lse = tx.cross_entropy %logits, %next ignore 0 in <"loss"> : tensor<2x5x7xf32>, tensor<2x5xi32>
  %sum, %count = tx.reduce_loss %losses, %next ignore 0 in <"loss"> : tensor<2x5xf32>, tensor<2x5xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}
