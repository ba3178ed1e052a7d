// RUN: tx-opt %s --tx-run-checks

// Rotary position embedding: the table of cosines and sines, and the turns.

func.func @positions() {
  %p = tx.positions in <"rope"> : tensor<5xi32>
  check.equal %p, dense<[0, 1, 2, 3, 4]> : tensor<5xi32>
  return
}

// The angle is the f32 product of position and frequency: large ones too keep their last digits.
func.func @table() {
  %p = arith.constant dense<[0, 1, 3, 100000]> : tensor<4xi32>
  %cos, %sin = tx.rope_table %p frequencies [1.0, 0.1, -1.0] in <"rope"> : tensor<4xi32>
  check.near %cos, dense<[[1.0, 1.0, 1.0], [0.54030231, 0.99500417, 0.54030231], [-0.98999250, 0.95533649, -0.98999250], [-0.99936081, -0.95215537, -0.99936081]]> : tensor<4x3xf32> within absolute 1.0e-7
  check.near %sin, dense<[[0.0, 0.0, 0.0], [0.84147098, 0.09983342, -0.84147098], [0.14112001, 0.29552021, -0.14112001], [0.03574880, -0.30561439, -0.03574880]]> : tensor<4x3xf32> within absolute 1.0e-7
  return
}

// Positions of each sample, and the attention factor of yarn.
func.func @scaled_table() {
  %p = arith.constant dense<[[2, 0], [1, 1]]> : tensor<2x2xi32>
  %cos, %sin = tx.rope_table %p frequencies [0.5] scale 2.0 in <"rope"> : tensor<2x2xi32>
  check.near %cos, dense<[[[1.0806046], [2.0]], [[1.7551651], [1.7551651]]]> : tensor<2x2x1xf32> within absolute 3.0e-7
  check.near %sin, dense<[[[1.6829420], [0.0]], [[0.9588511], [0.9588511]]]> : tensor<2x2x1xf32> within absolute 3.0e-7
  return
}

// Halves: columns i and i + 2 of each head.
func.func @halves() {
  %x = arith.constant dense<[[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [1.0, 0.0, 0.0, 2.0, -1.0, 1.0, 2.0, 0.5]]]> : tensor<1x2x8xf32>
  %cos = arith.constant dense<[[1.0, 0.0], [0.5, -1.0]]> : tensor<2x2xf32>
  %sin = arith.constant dense<[[0.0, 1.0], [2.0, 0.0]]> : tensor<2x2xf32>
  %y = tx.rope %x, %cos, %sin heads 2 in <"rope"> : tensor<1x2x8xf32>, tensor<2x2xf32>
  check.equal %y, dense<[[[1.0, -4.0, 3.0, 2.0, 5.0, -8.0, 7.0, 6.0], [0.5, -0.0, 2.0, -2.0, -4.5, -1.0, -1.0, -0.5]]]> : tensor<1x2x8xf32>
  return
}

// Pairs: columns 2i and 2i + 1.
func.func @interleaved() {
  %x = arith.constant dense<[[[1.0, 3.0, 2.0, 4.0, 5.0, 7.0, 6.0, 8.0], [1.0, 0.0, 0.0, 2.0, -1.0, 2.0, 1.0, 0.5]]]> : tensor<1x2x8xf32>
  %cos = arith.constant dense<[[1.0, 0.0], [0.5, -1.0]]> : tensor<2x2xf32>
  %sin = arith.constant dense<[[0.0, 1.0], [2.0, 0.0]]> : tensor<2x2xf32>
  %y = tx.rope %x, %cos, %sin heads 2 interleaved in <"rope"> : tensor<1x2x8xf32>, tensor<2x2xf32>
  check.equal %y, dense<[[[1.0, 3.0, -4.0, 2.0, 5.0, 7.0, -8.0, 6.0], [0.5, 2.0, -0.0, -2.0, -4.5, -1.0, -1.0, -0.5]]]> : tensor<1x2x8xf32>
  return
}

// Two of a head's five columns turn, then four of six, the others pass; the table differs by sample.
func.func @partial() {
  %x = arith.constant dense<[[[1.0, 2.0, 3.0, 4.0, 5.0]], [[1.0, 2.0, 3.0, 4.0, 5.0]]]> : tensor<2x1x5xf32>
  %cos = arith.constant dense<[[[0.0]], [[2.0]]]> : tensor<2x1x1xf32>
  %sin = arith.constant dense<[[[1.0]], [[0.5]]]> : tensor<2x1x1xf32>
  %y = tx.rope %x, %cos, %sin heads 1 in <"rope"> : tensor<2x1x5xf32>, tensor<2x1x1xf32>
  check.equal %y, dense<[[[-2.0, 1.0, 3.0, 4.0, 5.0]], [[1.0, 4.5, 3.0, 4.0, 5.0]]]> : tensor<2x1x5xf32>
  %wide = arith.constant dense<[[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]], [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]]> : tensor<2x1x6xf32>
  %cos2 = arith.constant dense<[[[0.0, 1.0]], [[2.0, 0.0]]]> : tensor<2x1x2xf32>
  %sin2 = arith.constant dense<[[[1.0, 0.0]], [[0.5, -1.0]]]> : tensor<2x1x2xf32>
  %z = tx.rope %wide, %cos2, %sin2 heads 1 in <"rope"> : tensor<2x1x6xf32>, tensor<2x1x2xf32>
  check.equal %z, dense<[[[-3.0, 2.0, 1.0, 4.0, 5.0, 6.0]], [[0.5, 4.0, 6.5, -2.0, 5.0, 6.0]]]> : tensor<2x1x6xf32>
  %p = tx.rope %wide, %cos2, %sin2 heads 1 interleaved in <"rope"> : tensor<2x1x6xf32>, tensor<2x1x2xf32>
  check.equal %p, dense<[[[-2.0, 1.0, 3.0, 4.0, 5.0, 6.0]], [[1.0, 4.5, 4.0, -3.0, 5.0, 6.0]]]> : tensor<2x1x6xf32>
  return
}

// The inverse of a turn gives the columns back, and is what backward does.
func.func @inverse() {
  %x = arith.constant dense<[[[1.0, 2.0, 3.0, 4.0]]]> : tensor<1x1x4xf32>
  %p = arith.constant dense<[7]> : tensor<1xi32>
  %cos, %sin = tx.rope_table %p frequencies [1.0, 0.3] in <"rope"> : tensor<1xi32>
  %y = tx.rope %x, %cos, %sin heads 1 in <"rope"> : tensor<1x1x4xf32>, tensor<1x2xf32>
  %z = tx.rope %y, %cos, %sin heads 1 inverse in <"rope"> : tensor<1x1x4xf32>, tensor<1x2xf32>
  check.near %z, dense<[[[1.0, 2.0, 3.0, 4.0]]]> : tensor<1x1x4xf32> within absolute 1.0e-6
  return
}
