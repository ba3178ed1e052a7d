// RUN: tx-opt %s --split-input-file --verify-diagnostics

func.func @positions_of_samples() {
  // expected-error @below {{'tx.positions' op gives positions [s], found 'tensor<2x4xi32>'}}
  %0 = tx.positions in <"rope"> : tensor<2x4xi32>
  return
}

// -----

func.func @table_of_a_scalar(%p: tensor<i32>) {
  // expected-error @below {{'tx.rope_table' op takes positions [s] or [b, s], found 'tensor<i32>'}}
  %0, %1 = tx.rope_table %p frequencies [1.0] in <"rope"> : tensor<i32>
  return
}

// -----

func.func @table_without_frequencies(%p: tensor<4xi32>) {
  // expected-error @below {{'tx.rope_table' op has a tensor with a dimension of 0 elements; every dimension must be at least 1: 'tensor<4x0xf32>'}}
  %0, %1 = tx.rope_table %p frequencies [] in <"rope"> : tensor<4xi32>
  return
}

// -----

func.func @frequency_beyond_f32(%p: tensor<4xi32>) {
  // expected-error @below {{'tx.rope_table' op takes frequencies that are finite in f32, found 1.000000e+39}}
  %0, %1 = tx.rope_table %p frequencies [1.0, 1.0e39] in <"rope"> : tensor<4xi32>
  return
}

// -----

func.func @infinite_scale(%p: tensor<4xi32>) {
  // expected-error @below {{'tx.rope_table' op takes a finite scale, found INF}}
  %0, %1 = tx.rope_table %p frequencies [1.0] scale 0x7FF0000000000000 in <"rope"> : tensor<4xi32>
  return
}

// -----

func.func @rope_without_samples(%x: tensor<4x6xf32>, %c: tensor<4x1xf32>) {
  // expected-error @below {{'tx.rope' op takes x [b, s, h], found 'tensor<4x6xf32>'}}
  %0 = tx.rope %x, %c, %c heads 3 in <"rope"> : tensor<4x6xf32>, tensor<4x1xf32>
  return
}

// -----

func.func @uneven_heads(%x: tensor<2x4x6xf32>, %c: tensor<4x1xf32>) {
  // expected-error @below {{'tx.rope' op has 4 heads, which do not divide rows of 6 elements}}
  %0 = tx.rope %x, %c, %c heads 4 in <"rope"> : tensor<2x4x6xf32>, tensor<4x1xf32>
  return
}

// -----

func.func @another_sequence(%x: tensor<2x4x6xf32>, %c: tensor<5x1xf32>) {
  // expected-error @below {{'tx.rope' op takes cos and sin [s, r/2] or [b, s, r/2] for x [b, s, h], found 'tensor<5x1xf32>' for 'tensor<2x4x6xf32>'}}
  %0 = tx.rope %x, %c, %c heads 3 in <"rope"> : tensor<2x4x6xf32>, tensor<5x1xf32>
  return
}

// -----

func.func @wider_than_a_head(%x: tensor<2x4x6xf32>, %c: tensor<4x2xf32>) {
  // expected-error @below {{'tx.rope' op rotates 4 columns of heads that have 2}}
  %0 = tx.rope %x, %c, %c heads 3 in <"rope"> : tensor<2x4x6xf32>, tensor<4x2xf32>
  return
}

// -----

func.func @pairs_of_an_odd_head(%x: tensor<2x4x6xf32>, %c: tensor<4x1xf32>) {
  // expected-error @below {{'tx.rope' op interleaved needs heads of an even width, found 3}}
  %0 = tx.rope %x, %c, %c heads 2 interleaved in <"rope"> : tensor<2x4x6xf32>, tensor<4x1xf32>
  return
}
