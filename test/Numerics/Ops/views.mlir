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

// [b, s, h] counts as b s rows, [b, s] as b s numbers.
func.func @slice_rows() {
  %x = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]> : tensor<2x2x2xf32>
  %t = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi32>
  %rows = tx.slice_rows %x 1 in <"head"> : tensor<2x2x2xf32> -> tensor<2x2xf32>
  %numbers = tx.slice_rows %t 1 in <"head"> : tensor<2x2xi32> -> tensor<3xi32>
  check.equal %rows, dense<[[3.0, 4.0], [5.0, 6.0]]> : tensor<2x2xf32>
  check.equal %numbers, dense<[2, 3, 4]> : tensor<3xi32>
  return
}

func.func @concat_rows() {
  %a = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %b = arith.constant dense<[[3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<3x2xf32>
  %z = tx.concat_rows %a, %b in <"head"> : tensor<1x2xf32>, tensor<3x2xf32> -> tensor<2x2x2xf32>
  check.equal %z, dense<[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]> : tensor<2x2x2xf32>
  return
}

// Rows of columns: a copy makes them follow each other.
func.func @rows_of_columns() {
  %x = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]> : tensor<3x3xf32>
  %columns = tx.slice %x 1 size 2 in <"qkv"> : tensor<3x3xf32>
  %rows = tx.slice_rows %columns 1 in <"head"> : tensor<3x2xf32> -> tensor<2x2xf32>
  check.equal %rows, dense<[[5.0, 6.0], [8.0, 9.0]]> : tensor<2x2xf32>
  return
}

func.func @select_rows() {
  %x = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]> : tensor<2x2x2xf32>
  %rows = arith.constant dense<[1, 0]> : tensor<2xi32>
  %y = tx.select_rows %x, %rows in <"head"> : tensor<2x2x2xf32>, tensor<2xi32>
  check.equal %y, dense<[[3.0, 4.0], [5.0, 6.0]]> : tensor<2x2xf32>
  return
}
