// The MLP's first part, forward and backward, with GELU in the product's op and as ops of its own.
func.func @fused(%x: tensor<2x5x6xf32> {tx.name = "x"}, %w: tensor<6x16xf32> {tx.name = "w"}, %b: tensor<16xf32> {tx.name = "b"}, %dy: tensor<2x5x4xf32> {tx.name = "dy"}, %v: tensor<16x4xf32> {tx.name = "v"}) -> (tensor<2x5x16xf32> {tx.name = "y"}, tensor<2x5x16xf32> {tx.name = "pre"}, tensor<2x5x16xf32> {tx.name = "dpre"}) {
  %y, %pre = tx.linear_gelu %x, %w bias %b in <layer 0, "mlp.fc1"> : tensor<2x5x6xf32>, tensor<6x16xf32>, tensor<16xf32> -> tensor<2x5x16xf32>
  %dpre = tx.linear_gelu_input_grad %dy, %v, %pre in <backward, layer 0, "mlp.fc2"> : tensor<2x5x4xf32>, tensor<16x4xf32> -> tensor<2x5x16xf32>
  return %y, %pre, %dpre : tensor<2x5x16xf32>, tensor<2x5x16xf32>, tensor<2x5x16xf32>
}

func.func @apart(%x: tensor<2x5x6xf32> {tx.name = "x"}, %w: tensor<6x16xf32> {tx.name = "w"}, %b: tensor<16xf32> {tx.name = "b"}, %dy: tensor<2x5x4xf32> {tx.name = "dy"}, %v: tensor<16x4xf32> {tx.name = "v"}) -> (tensor<2x5x16xf32> {tx.name = "y"}, tensor<2x5x16xf32> {tx.name = "pre"}, tensor<2x5x16xf32> {tx.name = "dpre"}) {
  %pre = tx.linear %x, %w bias %b in <layer 0, "mlp.fc1"> : tensor<2x5x6xf32>, tensor<6x16xf32>, tensor<16xf32> -> tensor<2x5x16xf32>
  %y = tx.gelu %pre in <layer 0, "mlp.mlp_act"> : tensor<2x5x16xf32>
  %dact = tx.linear_input_grad %dy, %v in <backward, layer 0, "mlp.fc2"> : tensor<2x5x4xf32>, tensor<16x4xf32> -> tensor<2x5x16xf32>
  %dpre = tx.gelu_grad %dact, %pre in <backward, layer 0, "mlp.mlp_act"> : tensor<2x5x16xf32>
  return %y, %pre, %dpre : tensor<2x5x16xf32>, tensor<2x5x16xf32>, tensor<2x5x16xf32>
}
