// RUN: tx-opt %s --tx-run-checks

// Parts of rows, and rows of parts.

func.func @slice() {
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]> : tensor<2x4xf32>
  %y = tx.slice %x 1 size 2 in <"qkv"> : tensor<2x4xf32>
  check.equal %y, dense<[[2.0, 3.0], [6.0, 7.0]]> : tensor<2x2xf32>
  return
}

func.func @concat() {
  %x = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %y = arith.constant dense<[[3.0, 4.0], [5.0, 6.0]]> : tensor<2x2xf32>
  %z = tx.concat %y, %x in <"qkv"> : tensor<2x2xf32>, tensor<2x1xf32>
  check.equal %z, dense<[[3.0, 4.0, 1.0], [5.0, 6.0, 2.0]]> : tensor<2x3xf32>
  return
}
