// Every message of the verifiers, of type inference and of the attributes' parsers.
// RUN: tx-opt %s --split-input-file --verify-diagnostics

func.func @unknown_segment(%x: tensor<2x3xf32>) {
  // expected-error @below {{unknown segment 'later'; known: forward, backward, recompute, optimizer}}
  %0 = tx.gelu %x in <later, "mlp"> : tensor<2x3xf32>
  return
}

// -----

func.func @segment_without_path(%x: tensor<2x3xf32>) {
  // expected-error @below {{expected 'layer' or the module path}}
  %0 = tx.gelu %x in <backward, mlp> : tensor<2x3xf32>
  return
}

// -----

func.func @negative_layer(%x: tensor<2x3xf32>) {
  // expected-error @below {{a layer's number is not negative; leave it out outside of the layers}}
  %0 = tx.gelu %x in <layer -1, "mlp"> : tensor<2x3xf32>
  return
}

// -----

// expected-error @below {{unknown role 'weight'; known: parameter, gradient, moment1, moment2, master}}
tx.global @w weight : tensor<2x3xf32>

// -----

// expected-error @below {{expected zeros, ones, normal(stddev), of @parameter or decay, found 'uniform'}}
tx.global @w parameter uniform : tensor<2x3xf32>

// -----

// expected-error @below {{'tx.global' op has a tensor with a dimension of 0 elements; every dimension must be at least 1: 'tensor<2x0xf32>'}}
tx.global @w parameter : tensor<2x0xf32>

// -----

// expected-error @below {{'tx.global' op has a tensor of more than 2^56 elements: 'tensor<4294967296x4294967296xf32>'}}
tx.global @w parameter : tensor<4294967296x4294967296xf32>

// -----

tx.global @v parameter : tensor<2x3xf32>
// expected-error @below {{'tx.global' op is a parameter and cannot belong to another}}
tx.global @w parameter of @v : tensor<2x3xf32>

// -----

// expected-error @below {{'tx.global' op names no parameter that it belongs to; add 'of @parameter'}}
tx.global @w.grad gradient : tensor<2x3xf32>

// -----

// expected-error @below {{'tx.global' op belongs to no parameter: @w}}
tx.global @w.grad gradient of @w : tensor<2x3xf32>

// -----

tx.global @w parameter : tensor<2x3xf32>
tx.global @w.grad gradient of @w : tensor<2x3xf32>
// A gradient is no parameter.
// expected-error @below {{'tx.global' op belongs to no parameter: @w.grad}}
tx.global @w.exp_avg moment1 of @w.grad : tensor<2x3xf32>

// -----

func.func private @w()
// expected-error @below {{'tx.global' op belongs to no parameter: @w}}
tx.global @w.grad gradient of @w : tensor<2x3xf32>

// -----

tx.global @w parameter : tensor<2x3xbf16>
// expected-error @below {{'tx.global' op has type 'tensor<3x2xf32>', but @w is 'tensor<2x3xbf16>'}}
tx.global @w.grad gradient of @w : tensor<3x2xf32>

// -----

// expected-error @below {{'tx.global' op takes a standard deviation of at least 0, found }}
tx.global @w parameter normal(1.0e400) : tensor<7x6xf32>

// -----

// expected-error @below {{'tx.global' op has a name with a NUL character, after 'w'}}
tx.global @"w\00x" parameter : tensor<7x6xf32>

// -----

// expected-error @below {{'tx.global' op has a name that is not UTF-8, after 'w'}}
tx.global @"w\FF" parameter : tensor<7x6xf32>

// -----

// expected-error @below {{'tx.global' op takes a standard deviation of at least 0, found -2.000000e-02}}
tx.global @w parameter normal(-0.02) : tensor<2x3xf32>

// -----

func.func @load_of_nothing() {
  // expected-error @below {{'tx.load' op names no tx.global: @w}}
  %w = tx.load @w : tensor<2x3xf32>
  return
}

// -----

func.func @load_of_a_function() {
  // expected-error @below {{'tx.load' op names no tx.global: @load_of_a_function}}
  %w = tx.load @load_of_a_function : tensor<2x3xf32>
  return
}

// -----

tx.global @w parameter : tensor<2x3xf32>
func.func @load_of_another_type() {
  // expected-error @below {{'tx.load' op has type 'tensor<2x3xbf16>', but @w is 'tensor<2x3xf32>'}}
  %w = tx.load @w : tensor<2x3xbf16>
  return
}

// -----

func.func @store_to_nothing(%x: tensor<2x3xf32>) {
  // expected-error @below {{'tx.store' op names no tx.global: @w}}
  tx.store %x, @w : tensor<2x3xf32>
  return
}

// -----

tx.global @w parameter : tensor<2x3xf32>
func.func @store_of_another_type(%x: tensor<3x2xf32>) {
  // expected-error @below {{'tx.store' op has type 'tensor<3x2xf32>', but @w is 'tensor<2x3xf32>'}}
  tx.store %x, @w : tensor<3x2xf32>
  return
}

// -----

func.func @empty_operand(%x: tensor<2x0xf32>) {
  // expected-error @below {{'tx.gelu' op has a tensor with a dimension of 0 elements; every dimension must be at least 1: 'tensor<2x0xf32>'}}
  %0 = tx.gelu %x in <"a"> : tensor<2x0xf32>
  return
}

// -----

func.func @too_large_operand(%x: tensor<268435456x268435457xf32>) {
  // expected-error @below {{'tx.gelu' op has a tensor of more than 2^56 elements: 'tensor<268435456x268435457xf32>'}}
  %0 = tx.gelu %x in <"a"> : tensor<268435456x268435457xf32>
  return
}

// -----

// The product of the sizes is 0 in 64 bits.
func.func @overflowing_operand(%x: tensor<4294967296x4294967296x4294967296xf32>) {
  // expected-error @below {{'tx.gelu' op has a tensor of more than 2^56 elements}}
  %0 = tx.gelu %x in <"a"> : tensor<4294967296x4294967296x4294967296xf32>
  return
}

// -----

// A small operand may have a large result.
func.func @too_large_result(%q: tensor<1x1073741824x1xf32>) {
  // expected-error @below {{'tx.attention_scores' op has a tensor of more than 2^56 elements: 'tensor<1x1x1073741824x1073741824xf32>'}}
  %0 = tx.attention_scores %q, %q heads 1 scale 1.0 in <"a"> : tensor<1x1073741824x1xf32>, tensor<1x1073741824x1xf32>
  return
}

// -----

func.func @table_of_one_dimension(%tokens: tensor<2x4xi32>, %table: tensor<7xf32>) {
  // expected-error @below {{'tx.embedding' op takes a table [vocabulary, hidden], found 'tensor<7xf32>'}}
  %0 = tx.embedding %tokens, %table in <"embedding"> : tensor<2x4xi32>, tensor<7xf32>
  return
}

// -----

func.func @tokens_of_one_dimension(%tokens: tensor<4xi32>, %table: tensor<7x6xf32>) {
  // expected-error @below {{'tx.embedding' op takes tokens [b, s], found 'tensor<4xi32>'}}
  %0 = tx.embedding %tokens, %table in <"embedding"> : tensor<4xi32>, tensor<7x6xf32>
  return
}

// -----

func.func @gradient_of_other_tokens(%tokens: tensor<2x4xi32>, %dy: tensor<2x5x6xf32>, %acc: tensor<7x6xf32>) {
  // expected-error @below {{'tx.embedding_weight_grad' op takes a gradient [b, s, h] of the tokens' shape, found 'tensor<2x5x6xf32>' and 'tensor<2x4xi32>'}}
  %0 = tx.embedding_weight_grad %tokens, %dy into %acc in <"embedding"> : tensor<2x4xi32>, tensor<2x5x6xf32>, tensor<7x6xf32>
  return
}

// -----

func.func @gradient_of_another_table(%tokens: tensor<2x4xi32>, %dy: tensor<2x4x6xf32>, %acc: tensor<7x8xf32>) {
  // expected-error @below {{'tx.embedding_weight_grad' op takes an accumulator [vocabulary, h], found 'tensor<7x8xf32>' for 'tensor<2x4x6xf32>'}}
  %0 = tx.embedding_weight_grad %tokens, %dy into %acc in <"embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x8xf32>
  return
}

// -----

func.func @positions_of_another_width(%x: tensor<2x4x6xf32>, %table: tensor<8x5xf32>) {
  // expected-error @below {{'tx.add_positions' op takes x [b, s, h] and a table [positions, h], found 'tensor<2x4x6xf32>' and 'tensor<8x5xf32>'}}
  %0 = tx.add_positions %x, %table in <"embedding"> : tensor<2x4x6xf32>, tensor<8x5xf32>
  return
}

// -----

func.func @too_few_positions(%x: tensor<2x4x6xf32>, %table: tensor<3x6xf32>) {
  // expected-error @below {{'tx.add_positions' op has 3 positions for a sequence of 4}}
  %0 = tx.add_positions %x, %table in <"embedding"> : tensor<2x4x6xf32>, tensor<3x6xf32>
  return
}

// -----

func.func @gradient_of_too_few_positions(%dy: tensor<2x4x6xf32>, %acc: tensor<3x6xf32>) {
  // expected-error @below {{'tx.position_weight_grad' op takes a gradient [b, s, h] and an accumulator [at least s, h], found 'tensor<2x4x6xf32>' and 'tensor<3x6xf32>'}}
  %0 = tx.position_weight_grad %dy into %acc in <"embedding"> : tensor<2x4x6xf32>, tensor<3x6xf32>
  return
}

// -----

func.func @norm_of_a_scalar(%x: tensor<f32>, %w: tensor<1xf32>) {
  // expected-error @below {{'tx.layer_norm' op needs rows, found 'tensor<f32>'}}
  %0, %1, %2 = tx.layer_norm %x, %w, %w eps 1.0e-5 in <"norm"> : tensor<f32>, tensor<1xf32>
  return
}

// -----

func.func @norm_with_another_weight(%x: tensor<2x6xf32>, %w: tensor<5xf32>) {
  // expected-error @below {{'tx.layer_norm' op takes a weight of 6 elements, found 'tensor<5xf32>'}}
  %0, %1, %2 = tx.layer_norm %x, %w, %w eps 1.0e-5 in <"norm"> : tensor<2x6xf32>, tensor<5xf32>
  return
}

// -----

func.func @norm_without_eps(%x: tensor<2x6xf32>, %w: tensor<6xf32>) {
  // expected-error @below {{'tx.layer_norm' op takes a positive eps, found 0.000000e+00}}
  %0, %1, %2 = tx.layer_norm %x, %w, %w eps 0.0 in <"norm"> : tensor<2x6xf32>, tensor<6xf32>
  return
}

// -----

func.func @norm_with_nan(%x: tensor<2x6xf32>, %w: tensor<6xf32>) {
  // expected-error @below {{'tx.layer_norm' op takes a positive eps, found nan}}
  %0, %1, %2 = tx.layer_norm %x, %w, %w eps 0x7FF8000000000000 in <"norm"> : tensor<2x6xf32>, tensor<6xf32>
  return
}

// -----

func.func @norm_gradient_with_another_weight(%x: tensor<2x6xf32>, %w: tensor<1x6xf32>, %s: tensor<2xf32>) {
  // expected-error @below {{'tx.layer_norm_input_grad' op takes a weight of 6 elements, found 'tensor<1x6xf32>'}}
  %0 = tx.layer_norm_input_grad %x, %x, %w, %s, %s in <"norm"> : tensor<2x6xf32>, tensor<1x6xf32>, tensor<2xf32>
  return
}

// -----

func.func @norm_gradient_with_other_statistics(%x: tensor<2x6xf32>, %w: tensor<6xf32>, %s: tensor<3xf32>) {
  // expected-error @below {{'tx.layer_norm_input_grad' op takes statistics of x's shape without its last dimension, found 'tensor<3xf32>' for 'tensor<2x6xf32>'}}
  %0 = tx.layer_norm_input_grad %x, %x, %w, %s, %s in <"norm"> : tensor<2x6xf32>, tensor<6xf32>, tensor<3xf32>
  return
}

// -----

func.func @norm_gradient_into_others(%x: tensor<2x6xf32>, %w: tensor<5xf32>, %s: tensor<2xf32>) {
  // expected-error @below {{'tx.layer_norm_weight_grad' op takes accumulators of 6 elements, found 'tensor<5xf32>'}}
  %0, %1 = tx.layer_norm_weight_grad %x, %x, %s, %s into %w, %w in <"norm"> : tensor<2x6xf32>, tensor<2xf32>, tensor<5xf32>, tensor<5xf32>
  return
}

// -----

func.func @norm_weight_gradient_with_other_statistics(%x: tensor<2x6xf32>, %w: tensor<6xf32>, %s: tensor<2x1xf32>) {
  // expected-error @below {{'tx.layer_norm_weight_grad' op takes statistics of x's shape without its last dimension, found 'tensor<2x1xf32>' for 'tensor<2x6xf32>'}}
  %0, %1 = tx.layer_norm_weight_grad %x, %x, %s, %s into %w, %w in <"norm"> : tensor<2x6xf32>, tensor<2x1xf32>, tensor<6xf32>, tensor<6xf32>
  return
}

// -----

func.func @norm_gradient_in_more_parts_than_rows(%x: tensor<2x6xf32>, %s: tensor<2xf32>) {
  // expected-error @below {{'tx.layer_norm_partial_grad' op gives equal parts of 2 rows of 6 elements, found 'tensor<3x6xf32>'}}
  %0, %1 = tx.layer_norm_partial_grad %x, %x, %s, %s in <"norm"> : tensor<2x6xf32>, tensor<2xf32> -> tensor<3x6xf32>
  return
}

// -----

// Parts of two rows each would leave the fourth none.
func.func @norm_gradient_in_uneven_parts(%x: tensor<6x6xf32>, %s: tensor<6xf32>) {
  // expected-error @below {{'tx.layer_norm_partial_grad' op gives equal parts of 6 rows of 6 elements, found 'tensor<4x6xf32>'}}
  %0, %1 = tx.layer_norm_partial_grad %x, %x, %s, %s in <"norm"> : tensor<6x6xf32>, tensor<6xf32> -> tensor<4x6xf32>
  return
}

// -----

func.func @norm_parts_with_other_statistics(%x: tensor<2x6xf32>, %s: tensor<3xf32>) {
  // expected-error @below {{'tx.layer_norm_partial_grad' op takes statistics of x's shape without its last dimension, found 'tensor<3xf32>' for 'tensor<2x6xf32>'}}
  %0, %1 = tx.layer_norm_partial_grad %x, %x, %s, %s in <"norm"> : tensor<2x6xf32>, tensor<3xf32> -> tensor<1x6xf32>
  return
}

// -----

func.func @parts_without_accumulators(%p: tensor<2x6xf32>, %w: tensor<6xf32>) {
  // expected-error @below {{'tx.add_parts' op takes an accumulator for each tensor of parts, found 1 for 2}}
  %0 = tx.add_parts %p, %p into %w in <"norm"> : tensor<2x6xf32>, tensor<2x6xf32> into tensor<6xf32>
  return
}

// -----

func.func @parts_of_two_types(%p: tensor<2x6xf32>, %q: tensor<3x6xf32>, %w: tensor<6xf32>) {
  // expected-error @below {{'tx.add_parts' op takes rows of one type, found 'tensor<3x6xf32>'}}
  %0:2 = tx.add_parts %p, %q into %w, %w in <"norm"> : tensor<2x6xf32>, tensor<3x6xf32> into tensor<6xf32>, tensor<6xf32>
  return
}

// -----

func.func @parts_into_others(%p: tensor<2x6xf32>, %w: tensor<5xf32>) {
  // expected-error @below {{'tx.add_parts' op takes accumulators of 6 elements, found 'tensor<5xf32>'}}
  %0 = tx.add_parts %p into %w in <"norm"> : tensor<2x6xf32> into tensor<5xf32>
  return
}

// -----

func.func @norm_gradient_of_a_scalar(%x: tensor<f32>, %w: tensor<1xf32>, %s: tensor<f32>) {
  // expected-error @below {{'tx.layer_norm_input_grad' op needs rows, found 'tensor<f32>'}}
  %0 = tx.layer_norm_input_grad %x, %x, %w, %s, %s in <"norm"> : tensor<f32>, tensor<1xf32>, tensor<f32>
  return
}

// -----

func.func @weight_of_one_dimension(%x: tensor<2x6xf32>, %w: tensor<6xf32>) {
  // expected-error @below {{'tx.linear' op takes a weight of two dimensions, found 'tensor<6xf32>'}}
  %0 = tx.linear %x, %w in <"fc1"> : tensor<2x6xf32>, tensor<6xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @weight_of_other_rows(%x: tensor<2x6xf32>, %w: tensor<8x6xf32>) {
  // expected-error @below {{'tx.linear' op takes rows of 8 elements for the weight 'tensor<8x6xf32>', found 'tensor<2x6xf32>'}}
  %0 = tx.linear %x, %w in <"fc1"> : tensor<2x6xf32>, tensor<8x6xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @transposed_weight_of_other_rows(%x: tensor<2x6xf32>, %w: tensor<6x8xf32>) {
  // expected-error @below {{'tx.linear' op takes rows of 8 elements for the weight 'tensor<6x8xf32>' (transposed), found 'tensor<2x6xf32>'}}
  %0 = tx.linear %x, %w transposed in <"fc1"> : tensor<2x6xf32>, tensor<6x8xf32> -> tensor<2x6xf32>
  return
}

// -----

func.func @linear_of_another_width(%x: tensor<2x6xf32>, %w: tensor<6x8xf32>) {
  // expected-error @below {{'tx.linear' op gives rows of 8 elements for 'tensor<2x6xf32>', found 'tensor<2x6xf32>'}}
  %0 = tx.linear %x, %w in <"fc1"> : tensor<2x6xf32>, tensor<6x8xf32> -> tensor<2x6xf32>
  return
}

// -----

func.func @linear_of_other_rows(%dy: tensor<2x8xf32>, %w: tensor<6x8xf32>) {
  // expected-error @below {{'tx.linear_input_grad' op gives rows of 8 elements for 'tensor<3x6xf32>', found 'tensor<2x8xf32>'}}
  %0 = tx.linear_input_grad %dy, %w in <"fc1"> : tensor<2x8xf32>, tensor<6x8xf32> -> tensor<3x6xf32>
  return
}

// -----

func.func @weight_gradient_of_other_rows(%x: tensor<2x6xf32>, %dy: tensor<2x8xf32>, %acc: tensor<8x6xf32>) {
  // expected-error @below {{'tx.linear_weight_grad' op takes rows of 8 elements for the weight 'tensor<8x6xf32>', found 'tensor<2x6xf32>'}}
  %0 = tx.linear_weight_grad %x, %dy into %acc in <"fc1"> : tensor<2x6xf32>, tensor<2x8xf32>, tensor<8x6xf32>
  return
}

// -----

func.func @weight_of_another_type(%x: tensor<2x6xf32>, %w: tensor<6x8xbf16>) {
  // expected-error @below {{'tx.linear' op takes x and a weight of one element type, found 'tensor<2x6xf32>' and 'tensor<6x8xbf16>'}}
  %0 = tx.linear %x, %w in <"fc1"> : tensor<2x6xf32>, tensor<6x8xbf16> -> tensor<2x8xf32>
  return
}

// -----

func.func @narrow_result(%x: tensor<2x6xf32>, %w: tensor<6x8xf32>) {
  // expected-error @below {{'tx.linear' op gives a type that is not narrower than its operands', found 'tensor<2x8xbf16>' for 'tensor<2x6xf32>'}}
  %0 = tx.linear %x, %w in <"fc1"> : tensor<2x6xf32>, tensor<6x8xf32> -> tensor<2x8xbf16>
  return
}

// -----

func.func @gradient_wider_than_the_weight(%dy: tensor<2x8xf32>, %w: tensor<6x8xbf16>) {
  // expected-error @below {{'tx.linear_input_grad' op takes dy and a weight of one element type, found 'tensor<2x8xf32>' and 'tensor<6x8xbf16>'}}
  %0 = tx.linear_input_grad %dy, %w in <"fc1"> : tensor<2x8xf32>, tensor<6x8xbf16> -> tensor<2x6xbf16>
  return
}

// -----

func.func @weight_grad_sums(%x: tensor<2x6xf32>, %dy: tensor<2x8xf32>, %acc: tensor<6x8xf32>) {
  // expected-error @below {{'tx.linear_weight_grad' op gives sums of 'tensor<8xf32>', found 'tensor<6xf32>'}}
  %0, %1 = tx.linear_weight_grad %x, %dy into %acc in <"fc1"> : tensor<2x6xf32>, tensor<2x8xf32>, tensor<6x8xf32> sums tensor<6xf32>
  return
}

// -----

func.func @gradient_wider_than_x(%x: tensor<2x6xbf16>, %dy: tensor<2x8xf32>, %acc: tensor<6x8xf32>) {
  // expected-error @below {{'tx.linear_weight_grad' op takes x and dy of one element type, found 'tensor<2x6xbf16>' and 'tensor<2x8xf32>'}}
  %0 = tx.linear_weight_grad %x, %dy into %acc in <"fc1"> : tensor<2x6xbf16>, tensor<2x8xf32>, tensor<6x8xf32>
  return
}

// -----

func.func @cast_to_another_shape(%x: tensor<2x6xf32>) {
  // expected-error @below {{'tx.cast' op gives x's shape, found 'tensor<2x5xbf16>' from 'tensor<2x6xf32>'}}
  %0 = tx.cast %x in <"fc1"> : tensor<2x6xf32> to tensor<2x5xbf16>
  return
}

// -----

func.func @bias_of_another_size(%x: tensor<2x6xf32>, %w: tensor<6x8xf32>, %b: tensor<6xf32>) {
  // expected-error @below {{'tx.linear' op takes a bias of 8 elements, found 'tensor<6xf32>'}}
  %0 = tx.linear %x, %w bias %b in <"fc1"> : tensor<2x6xf32>, tensor<6x8xf32>, tensor<6xf32> -> tensor<2x8xf32>
  return
}

// -----

// Each tensor is bounded; 2 m n k is 2^67.
func.func @too_many_flops(%x: tensor<4194304x4194304xf32>) {
  // expected-error @below {{'tx.linear' op has more than 2^63 FLOPs}}
  %0 = tx.linear %x, %x in <"fc1"> : tensor<4194304x4194304xf32>, tensor<4194304x4194304xf32> -> tensor<4194304x4194304xf32>
  return
}

// -----

func.func @bias_gradient_into_another(%dy: tensor<2x8xf32>, %acc: tensor<6xf32>) {
  // expected-error @below {{'tx.bias_grad' op takes an accumulator of 8 elements, found 'tensor<6xf32>'}}
  %0 = tx.bias_grad %dy into %acc in <"fc1"> : tensor<2x8xf32>, tensor<6xf32>
  return
}

// -----

func.func @reset_by_several_bits(%dy: tensor<2x8xf32>, %acc: tensor<8xf32>, %first: tensor<2xi1>) {
  // expected-error @below {{operand #2 must be 0D tensor of 1-bit signless integer values}}
  %0 = tx.bias_grad %dy into %acc reset %first in <"fc1"> : tensor<2x8xf32>, tensor<8xf32>, tensor<2xi1>
  return
}

// -----

func.func @row_of_another_size(%row: tensor<6xf32>) {
  // expected-error @below {{'tx.broadcast_rows' op takes a row of 8 elements, found 'tensor<6xf32>'}}
  %0 = tx.broadcast_rows %row in <"fc1"> : tensor<6xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @key_of_three_words(%x: tensor<2x3xf32>, %key: tensor<3xi32>) {
  // expected-error @below {{'tx.dropout' op takes a key of four words, found 'tensor<3xi32>'}}
  %0 = tx.dropout %x, %key p 0.1 in <"a"> : tensor<2x3xf32>, tensor<3xi32>
  return
}

// -----

func.func @dropout_of_a_vector(%x: tensor<3xf32>, %key: tensor<4xi32>) {
  // expected-error @below {{'tx.dropout' op takes x [b, ..., n], found 'tensor<3xf32>'}}
  %0 = tx.dropout %x, %key p 0.1 in <"a"> : tensor<3xf32>, tensor<4xi32>
  return
}

// -----

func.func @dropout_of_everything(%x: tensor<2x3xf32>, %key: tensor<4xi32>) {
  // expected-error @below {{'tx.dropout' op takes a probability in [0, 1), found 1.000000e+00}}
  %0 = tx.dropout %x, %key p 1.0 in <"a"> : tensor<2x3xf32>, tensor<4xi32>
  return
}

// -----

func.func @dropout_of_nan(%x: tensor<2x3xf32>, %key: tensor<4xi32>) {
  // expected-error @below {{'tx.dropout' op takes a probability in [0, 1), found nan}}
  %0 = tx.dropout %x, %key p 0x7FF8000000000000 in <"a"> : tensor<2x3xf32>, tensor<4xi32>
  return
}

// -----

func.func @slice_beyond(%x: tensor<2x6xf32>) {
  // expected-error @below {{'tx.slice' op takes 4 columns from column 3 on; not all are in 'tensor<2x6xf32>'}}
  %0 = tx.slice %x 3 size 4 in <"qkv"> : tensor<2x6xf32>
  return
}

// -----

func.func @slice_before(%x: tensor<2x6xf32>) {
  // expected-error @below {{'tx.slice' op takes 4 columns from column -1 on; not all are in 'tensor<2x6xf32>'}}
  %0 = tx.slice %x -1 size 4 in <"qkv"> : tensor<2x6xf32>
  return
}

// -----

func.func @slice_of_nothing(%x: tensor<2x6xf32>) {
  // expected-error @below {{'tx.slice' op takes 0 columns from column 0 on}}
  %0 = tx.slice %x 0 size 0 in <"qkv"> : tensor<2x6xf32>
  return
}

// -----

// The end has no 64-bit number.
func.func @slice_far_beyond(%x: tensor<2x6xf32>) {
  // expected-error @below {{'tx.slice' op takes 5 columns from column 9223372036854775807 on}}
  %0 = tx.slice %x 9223372036854775807 size 5 in <"qkv"> : tensor<2x6xf32>
  return
}

// -----

func.func @slice_of_a_scalar(%x: tensor<f32>) {
  // expected-error @below {{'tx.slice' op takes 1 columns from column 0 on; not all are in 'tensor<f32>'}}
  %0 = tx.slice %x 0 size 1 in <"qkv"> : tensor<f32>
  return
}

// -----

func.func @scalars_side_by_side(%x: tensor<f32>) {
  // expected-error @below {{'tx.concat' op takes parts with columns, found 'tensor<f32>'}}
  %0 = tx.concat %x, %x in <"qkv"> : tensor<f32>, tensor<f32>
  return
}

// -----

func.func @parts_of_other_rows(%x: tensor<2x6xf32>, %y: tensor<3x6xf32>) {
  // expected-error @below {{'tx.concat' op takes parts that agree in all but the last dimension, found 'tensor<2x6xf32>' and 'tensor<3x6xf32>'}}
  %0 = tx.concat %x, %y in <"qkv"> : tensor<2x6xf32>, tensor<3x6xf32>
  return
}

// -----

func.func @parts_of_another_type(%x: tensor<2x6xf32>, %y: tensor<2x6xbf16>) {
  // expected-error @below {{'tx.concat' op takes parts that agree in all but the last dimension, found 'tensor<2x6xf32>' and 'tensor<2x6xbf16>'}}
  %0 = tx.concat %x, %y in <"qkv"> : tensor<2x6xf32>, tensor<2x6xbf16>
  return
}

// -----

// Their sum is negative in 64 bits.
func.func @too_many_columns(%x: tensor<9223372036854775807xf32>) {
  // expected-error @below {{'tx.concat' op takes parts of at least one and together at most 2^56 columns, found 'tensor<9223372036854775807xf32>'}}
  %0 = tx.concat %x, %x in <"qkv"> : tensor<9223372036854775807xf32>, tensor<9223372036854775807xf32>
  return
}

// -----

func.func @no_parts() {
  // expected-error @below {{'tx.concat' op needs at least one part}}
  // expected-error @below {{failed to infer returned types}}
  %0 = "tx.concat"() {scope = #tx.scope<"qkv">} : () -> tensor<2x6xf32>
  return
}

// -----

func.func @nothing_to_pack() {
  // expected-error @below {{'tx.pack' op needs at least one part}}
  // expected-error @below {{failed to infer returned types}}
  %0 = "tx.pack"() {scope = #tx.scope<"adamw">} : () -> tensor<64xf32>
  return
}

// -----

func.func @packed_types(%x: tensor<2x6xf32>, %y: tensor<6xbf16>) {
  // expected-error @below {{'tx.pack' op takes parts of one element type, found 'tensor<2x6xf32>' and 'tensor<6xbf16>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = "tx.pack"(%x, %y) {scope = #tx.scope<"adamw">} : (tensor<2x6xf32>, tensor<6xbf16>) -> tensor<128xf32>
  return
}

// -----

// Each is as large as may be.
func.func @packed_too_much(%x: tensor<72057594037927936xf32>) {
  // expected-error @below {{'tx.pack' op takes parts of static shapes and together at most 2^56 elements}}
  // expected-error @below {{failed to infer returned types}}
  %0 = "tx.pack"(%x, %x) {scope = #tx.scope<"adamw">} : (tensor<72057594037927936xf32>, tensor<72057594037927936xf32>) -> tensor<64xf32>
  return
}

// -----

// A row ends where another part could start.
func.func @packed_without_gaps(%x: tensor<2x6xf32>, %y: tensor<6xf32>) {
  // expected-error @below {{'tx.pack' op inferred type(s) 'tensor<128xf32>' are incompatible with return type(s) of operation 'tensor<18xf32>'}}
  // expected-error @below {{failed to infer returned types}}
  %0 = tx.pack %x, %y in <"adamw"> : tensor<2x6xf32>, tensor<6xf32> -> tensor<18xf32>
  return
}

// -----

func.func @unpacked_without_gaps(%x: tensor<18xf32>) {
  // expected-error @below {{'tx.unpack' op gives the parts of a row of 128 elements, found 'tensor<18xf32>'}}
  %0, %1 = tx.unpack %x in <"adamw"> : tensor<18xf32> -> tensor<2x6xf32>, tensor<6xf32>
  return
}

// -----

func.func @unpacked_types(%x: tensor<128xf32>) {
  // expected-error @below {{'tx.unpack' op gives parts of the whole's element type, found 'tensor<6xbf16>' of 'tensor<128xf32>'}}
  %0, %1 = tx.unpack %x in <"adamw"> : tensor<128xf32> -> tensor<2x6xf32>, tensor<6xbf16>
  return
}

// -----

func.func @unpacked_too_much(%x: tensor<64xf32>) {
  // expected-error @below {{'tx.unpack' op gives parts of together more than 2^56 elements}}
  %0, %1 = tx.unpack %x in <"adamw"> : tensor<64xf32> -> tensor<72057594037927936xf32>, tensor<72057594037927936xf32>
  return
}

// -----

func.func @keys_of_another_width(%q: tensor<2x4x6xf32>, %k: tensor<2x4x8xf32>) {
  // expected-error @below {{'tx.attention_scores' op has 2 heads of width 4, which do not share 6 columns evenly}}
  %0 = tx.attention_scores %q, %k heads 2 scale 1.0 in <"a"> : tensor<2x4x6xf32>, tensor<2x4x8xf32>
  return
}

// -----

func.func @heads_that_do_not_divide(%q: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.attention_scores' op has 4 heads, which do not divide a hidden size of 6}}
  %0 = tx.attention_scores %q, %q heads 4 scale 1.0 in <"a"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
  return
}

// -----

func.func @no_heads(%q: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.attention_scores' op has 0 heads, which do not divide a hidden size of 6}}
  %0 = tx.attention_scores %q, %q heads 0 scale 1.0 in <"a"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
  return
}

// -----

func.func @keys_of_another_type(%q: tensor<2x4x6xf32>, %k: tensor<2x4x6xbf16>) {
  // expected-error @below {{'tx.attention_scores' op takes q and k of one element type, found 'tensor<2x4x6xf32>' and 'tensor<2x4x6xbf16>'}}
  %0 = tx.attention_scores %q, %k heads 2 scale 1.0 in <"a"> : tensor<2x4x6xf32>, tensor<2x4x6xbf16>
  return
}

// -----

func.func @scores_of_too_many_flops(%q: tensor<1x1048576x34359738368xbf16>) {
  // expected-error @below {{'tx.attention_scores' op has more than 2^63 FLOPs}}
  %0 = tx.attention_scores %q, %q heads 1 scale 1.0 in <"a"> : tensor<1x1048576x34359738368xbf16>, tensor<1x1048576x34359738368xbf16>
  return
}

// -----

func.func @context_of_too_many_flops(%p: tensor<1x1x16777216x16777216xbf16>, %v: tensor<1x16777216x1073741824xbf16>) {
  // expected-error @below {{'tx.attention_context' op has more than 2^63 FLOPs}}
  %0 = tx.attention_context %p, %v in <"a"> : tensor<1x1x16777216x16777216xbf16>, tensor<1x16777216x1073741824xbf16>
  return
}

// -----

// The verifier asks no shape that type inference has yet to check.
func.func @scores_of_another_type(%q: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.attention_scores' op has 0 heads, which do not divide a hidden size of 6}}
  // expected-error @below {{failed to infer returned types}}
  %0 = "tx.attention_scores"(%q, %q) {heads = 0, scale = 1.0, scope = #tx.scope<"a">} : (tensor<2x4x6xf32>, tensor<2x4x6xf32>) -> tensor<2x1x4x4xf32>
  return
}

// -----

func.func @softmax_of_a_scalar(%x: tensor<f32>) {
  // expected-error @below {{'tx.softmax' op needs rows, found 'tensor<f32>'}}
  %0 = tx.softmax %x in <"a"> : tensor<f32>
  return
}

// -----

func.func @causal_with_more_rows(%x: tensor<2x2x5x4xf32>) {
  // expected-error @below {{'tx.softmax' op is causal and takes [..., s, t] with t >= s, found 'tensor<2x2x5x4xf32>'}}
  %0 = tx.softmax %x causal in <"a"> : tensor<2x2x5x4xf32>
  return
}

// -----

func.func @softmax_gradient_of_a_scalar(%x: tensor<f32>) {
  // expected-error @below {{'tx.softmax_grad' op needs rows, found 'tensor<f32>'}}
  %0 = tx.softmax_grad %x, %x in <"a"> : tensor<f32>
  return
}

// -----

func.func @keys_of_other_samples(%q: tensor<2x4x6xf32>, %k: tensor<3x4x6xf32>) {
  // expected-error @below {{'tx.attention_scores' op takes q [b, s, a d] and k [b, t, g d], found 'tensor<2x4x6xf32>' and 'tensor<3x4x6xf32>'}}
  %0 = tx.attention_scores %q, %k heads 2 scale 1.0 in <"a"> : tensor<2x4x6xf32>, tensor<3x4x6xf32>
  return
}

// -----

func.func @heads_that_share_keys_unevenly(%q: tensor<2x4x12xf32>, %k: tensor<2x4x9xf32>) {
  // expected-error @below {{'tx.attention_scores' op has 4 heads of width 3, which do not share 9 columns evenly}}
  %0 = tx.attention_scores %q, %k heads 4 scale 1.0 in <"a"> : tensor<2x4x12xf32>, tensor<2x4x9xf32>
  return
}

// -----

func.func @heads_that_share_values_unevenly(%p: tensor<2x4x4x4xf32>, %v: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.attention_context' op has 4 heads of p, which do not share 3 heads of v evenly}}
  %0 = tx.attention_context %p, %v groups 3 in <"a"> : tensor<2x4x4x4xf32>, tensor<2x4x6xf32>
  return
}

// -----

func.func @groups_that_do_not_divide(%p: tensor<2x4x4x4xf32>, %v: tensor<2x4x7xf32>) {
  // expected-error @below {{'tx.attention_context' op has 2 heads, which do not divide a hidden size of 7}}
  %0 = tx.attention_context %p, %v groups 2 in <"a"> : tensor<2x4x4x4xf32>, tensor<2x4x7xf32>
  return
}

// -----

func.func @sum_of_no_rows(%x: tensor<4x6xf32>) {
  // expected-error @below {{'tx.sum_head_groups' op takes x [b, t, a d], found 'tensor<4x6xf32>'}}
  %0 = tx.sum_head_groups %x heads 2 groups 1 in <"a"> : tensor<4x6xf32>
  return
}

// -----

func.func @sum_of_heads_that_do_not_divide(%x: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.sum_head_groups' op has 4 heads, which do not divide a hidden size of 6}}
  %0 = tx.sum_head_groups %x heads 4 groups 1 in <"a"> : tensor<2x4x6xf32>
  return
}

// -----

func.func @sum_of_unequal_groups(%x: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.sum_head_groups' op sums 3 heads in 2 groups, which are not equal}}
  %0 = tx.sum_head_groups %x heads 3 groups 2 in <"a"> : tensor<2x4x6xf32>
  return
}

// -----

func.func @context_of_other_samples(%p: tensor<2x2x4x4xf32>, %v: tensor<3x4x6xf32>) {
  // expected-error @below {{'tx.attention_context' op takes p [b, a, s, t] and v [b, t, g d], found 'tensor<2x2x4x4xf32>' and 'tensor<3x4x6xf32>'}}
  %0 = tx.attention_context %p, %v in <"a"> : tensor<2x2x4x4xf32>, tensor<3x4x6xf32>
  return
}

// -----

func.func @context_of_other_rows(%p: tensor<2x2x4x5xf32>, %v: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.attention_context' op sums over 5 columns of p and 4 rows of v}}
  %0 = tx.attention_context %p, %v in <"a"> : tensor<2x2x4x5xf32>, tensor<2x4x6xf32>
  return
}

// -----

func.func @transposed_context_of_other_rows(%p: tensor<2x2x5x4xf32>, %v: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.attention_context' op sums over 5 rows of p and 4 rows of v}}
  %0 = tx.attention_context %p, %v transposed in <"a"> : tensor<2x2x5x4xf32>, tensor<2x4x6xf32>
  return
}

// -----

func.func @context_of_heads_that_do_not_divide(%p: tensor<2x4x4x4xf32>, %v: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.attention_context' op has 4 heads, which do not divide a hidden size of 6}}
  %0 = tx.attention_context %p, %v in <"a"> : tensor<2x4x4x4xf32>, tensor<2x4x6xf32>
  return
}

// -----

func.func @context_of_no_heads(%p: tensor<2x0x4x4xf32>, %v: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.attention_context' op has 0 heads of p, which do not share 0 heads of v evenly}}
  %0 = tx.attention_context %p, %v in <"a"> : tensor<2x0x4x4xf32>, tensor<2x4x6xf32>
  return
}

// -----

func.func @context_of_another_type(%p: tensor<2x2x4x4xf32>, %v: tensor<2x4x6xbf16>) {
  // expected-error @below {{'tx.attention_context' op takes p and v of one element type, found 'tensor<2x2x4x4xf32>' and 'tensor<2x4x6xbf16>'}}
  %0 = tx.attention_context %p, %v in <"a"> : tensor<2x2x4x4xf32>, tensor<2x4x6xbf16>
  return
}

// -----

func.func @logits_of_a_scalar(%x: tensor<f32>, %t: tensor<2x4xi32>) {
  // expected-error @below {{'tx.cross_entropy' op takes logits [b, s, v], found 'tensor<f32>'}}
  %0, %1 = tx.cross_entropy %x, %t ignore -100 in <"loss"> : tensor<f32>, tensor<2x4xi32>
  return
}

// -----

func.func @targets_of_another_shape(%x: tensor<2x4x7xf32>, %t: tensor<2x5xi32>) {
  // expected-error @below {{'tx.cross_entropy' op takes logits [b, s, v] and targets [b, s], found 'tensor<2x4x7xf32>' and 'tensor<2x5xi32>'}}
  %0, %1 = tx.cross_entropy %x, %t ignore -100 in <"loss"> : tensor<2x4x7xf32>, tensor<2x5xi32>
  return
}

// -----

func.func @loss_gradient_of_other_targets(%dl: tensor<2x5xf32>, %x: tensor<2x4x7xf32>, %t: tensor<2x5xi32>, %s: tensor<2x5x2xf32>) {
  // expected-error @below {{'tx.cross_entropy_grad' op takes logits [b, s, v] and targets [b, s], found 'tensor<2x4x7xf32>' and 'tensor<2x5xi32>'}}
  %0 = tx.cross_entropy_grad %dl, %x, %t, %s ignore -100 in <"loss"> : tensor<2x5xf32>, tensor<2x4x7xf32>, tensor<2x5xi32>
  return
}

// -----

func.func @loss_gradient_of_another_shape(%dl: tensor<2x5xf32>, %x: tensor<2x4x7xf32>, %t: tensor<2x4xi32>, %s: tensor<2x5x2xf32>) {
  // expected-error @below {{'tx.cross_entropy_grad' op takes gradients of the targets' shape, found 'tensor<2x5xf32>'}}
  %0 = tx.cross_entropy_grad %dl, %x, %t, %s ignore -100 in <"loss"> : tensor<2x5xf32>, tensor<2x4x7xf32>, tensor<2x4xi32>
  return
}

// -----

func.func @losses_of_other_targets(%l: tensor<2x4xf32>, %t: tensor<2x5xi32>) {
  // expected-error @below {{'tx.reduce_loss' op takes losses and targets of one shape, found 'tensor<2x4xf32>' and 'tensor<2x5xi32>'}}
  %0, %1 = tx.reduce_loss %l, %t ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x5xi32>
  return
}

// -----

func.func @loss_scale_of_a_vector(%x: tensor<1xf32>, %t: tensor<2x4xi32>) {
  // expected-error @below {{'tx.reduce_loss_grad' op takes a scalar, found 'tensor<1xf32>'}}
  %0 = tx.reduce_loss_grad %x, %t ignore -100 in <"loss"> : tensor<1xf32>, tensor<2x4xi32>
  return
}

// -----

func.func @norm_of_two_accumulators(%x: tensor<2x6xf32>, %s: tensor<2xf32>, %w: tensor<6xf32>, %b: tensor<5xf32>) {
  // expected-error @below {{'tx.layer_norm_weight_grad' op takes accumulators of one type, found 'tensor<6xf32>' and 'tensor<5xf32>'}}
  %0, %1 = tx.layer_norm_weight_grad %x, %x, %s, %s into %w, %b in <"norm"> : tensor<2x6xf32>, tensor<2xf32>, tensor<6xf32>, tensor<5xf32>
  return
}

// -----

func.func @squares_of_nothing(%x: tensor<2x0xf32>) {
  // expected-error @below {{'tx.sum_of_squares' op takes a static shape of 1 to 2^56 elements, found 'tensor<2x0xf32>'}}
  %0 = tx.sum_of_squares %x in <"norm"> : tensor<2x0xf32>
  return
}

// -----

func.func @squares_of_unknown_shape(%x: tensor<2x?xf32>) {
  // expected-error @below {{'tx.sum_of_squares' op takes a static shape of 1 to 2^56 elements, found 'tensor<2x?xf32>'}}
  %0 = tx.sum_of_squares %x in <"norm"> : tensor<2x?xf32>
  return
}

// -----

func.func @partial_sums_of_a_matrix(%x: tensor<2x3xf32>) {
  // expected-error @below {{'tx.clip_coefficient' op takes partial sums [n], found 'tensor<2x3xf32>'}}
  %0, %1 = tx.clip_coefficient %x max 1.0 in <"norm"> : tensor<2x3xf32>
  return
}

// -----

func.func @negative_norm(%x: tensor<3xf32>) {
  // expected-error @below {{'tx.clip_coefficient' op takes a norm of at least 0, found -1.000000e+00}}
  %0, %1 = tx.clip_coefficient %x max -1.0 in <"norm"> : tensor<3xf32>
  return
}

// -----

func.func @gradient_of_another_shape(%p: tensor<2x3xf32>, %g: tensor<3x2xf32>, %c: tensor<f32>, %t: tensor<i32>) {
  // expected-error @below {{'tx.adamw' op takes a gradient of the parameter's shape, found 'tensor<3x2xf32>' for 'tensor<2x3xf32>'}}
  %0, %1, %2 = tx.adamw %p, %g, %g, %g clip %c lr %c step %t betas 0.9, 0.999 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<2x3xf32>, tensor<3x2xf32>
  return
}

// -----

func.func @narrow_gradient(%p: tensor<2x3xf64>, %g: tensor<2x3xf32>, %c: tensor<f32>, %t: tensor<i32>) {
  // expected-error @below {{'tx.adamw' op takes a gradient that is not narrower than the parameter, found 'tensor<2x3xf32>' for 'tensor<2x3xf64>'}}
  %0, %1, %2 = tx.adamw %p, %g, %g, %g clip %c lr %c step %t betas 0.9, 0.999 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<2x3xf64>, tensor<2x3xf32>
  return
}

// -----

func.func @no_master(%p: tensor<2x3xbf16>, %g: tensor<2x3xf32>, %c: tensor<f32>, %t: tensor<i32>) {
  // expected-error @below {{'tx.adamw' op needs a master copy of a narrow parameter}}
  %0, %1, %2 = tx.adamw %p, %g, %g, %g clip %c lr %c step %t betas 0.9, 0.999 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<2x3xbf16>, tensor<2x3xf32>
  return
}

// -----

func.func @needless_master(%p: tensor<2x3xf32>, %g: tensor<2x3xf32>, %c: tensor<f32>, %t: tensor<i32>) {
  // expected-error @below {{'tx.adamw' op takes a master copy of a narrow parameter only}}
  %0, %1, %2, %3 = tx.adamw %p, %g, %g, %g master %g clip %c lr %c step %t betas 0.9, 0.999 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
  return
}

// -----

func.func @master_of_another_shape(%p: tensor<2x3xbf16>, %g: tensor<2x3xf32>, %m: tensor<3x2xf32>, %c: tensor<f32>, %t: tensor<i32>) {
  // expected-error @below {{'tx.adamw' op takes a master copy of the gradient's type, found 'tensor<3x2xf32>'}}
  %0, %1, %2, %3 = tx.adamw %p, %g, %g, %g master %m clip %c lr %c step %t betas 0.9, 0.999 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<2x3xbf16>, tensor<2x3xf32>, tensor<3x2xf32>
  return
}

// -----

func.func @first_beta_of_one(%p: tensor<2x3xf32>, %g: tensor<2x3xf32>, %c: tensor<f32>, %t: tensor<i32>) {
  // expected-error @below {{'tx.adamw' op takes betas in [0, 1), found 1.000000e+00}}
  %0, %1, %2 = tx.adamw %p, %g, %g, %g clip %c lr %c step %t betas 1.0, 0.999 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<2x3xf32>, tensor<2x3xf32>
  return
}

// -----

func.func @second_beta_below_zero(%p: tensor<2x3xf32>, %g: tensor<2x3xf32>, %c: tensor<f32>, %t: tensor<i32>) {
  // expected-error @below {{'tx.adamw' op takes betas in [0, 1), found -1.000000e-01}}
  %0, %1, %2 = tx.adamw %p, %g, %g, %g clip %c lr %c step %t betas 0.9, -0.1 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<2x3xf32>, tensor<2x3xf32>
  return
}

// -----

func.func @negative_eps(%p: tensor<2x3xf32>, %g: tensor<2x3xf32>, %c: tensor<f32>, %t: tensor<i32>) {
  // expected-error @below {{'tx.adamw' op takes an eps and a weight decay of at least 0}}
  %0, %1, %2 = tx.adamw %p, %g, %g, %g clip %c lr %c step %t betas 0.9, 0.999 eps -1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<2x3xf32>, tensor<2x3xf32>
  return
}

// -----

func.func @negative_decay(%p: tensor<2x3xf32>, %g: tensor<2x3xf32>, %c: tensor<f32>, %t: tensor<i32>) {
  // expected-error @below {{'tx.adamw' op takes an eps and a weight decay of at least 0}}
  %0, %1, %2 = tx.adamw %p, %g, %g, %g clip %c lr %c step %t betas 0.9, 0.999 eps 1.0e-8 decay -0.1 in <optimizer, "adamw"> : tensor<2x3xf32>, tensor<2x3xf32>
  return
}

// -----

func.func @coefficient_of_another_type(%g: tensor<3xf32>, %lr: tensor<f32>, %c: tensor<f64>, %t: tensor<i32>) {
  // expected-error @below {{the coefficient is a scalar of the gradient's type}}
  %0, %1, %2 = "tx.adamw"(%g, %g, %g, %g, %c, %lr, %t) {beta1 = 0.9, beta2 = 0.999, eps = 1.0e-8, weight_decay = 0.1, scope = #tx.scope<"adamw">} : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f64>, tensor<f32>, tensor<i32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>)
  return
}

// -----

func.func @lr_of_another_shape(%g: tensor<3xf32>, %lr: tensor<1xf32>, %c: tensor<f32>, %t: tensor<i32>) {
  // expected-error @below {{the learning rate is a scalar of the gradient's type}}
  %0, %1, %2 = "tx.adamw"(%g, %g, %g, %g, %c, %lr, %t) {beta1 = 0.9, beta2 = 0.999, eps = 1.0e-8, weight_decay = 0.1, scope = #tx.scope<"adamw">} : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<1xf32>, tensor<i32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>)
  return
}

// -----

func.func @step_of_another_shape(%g: tensor<3xf32>, %lr: tensor<f32>, %c: tensor<f32>, %t: tensor<1xi32>) {
  // expected-error @below {{the step is an i32 scalar}}
  %0, %1, %2 = "tx.adamw"(%g, %g, %g, %g, %c, %lr, %t) {beta1 = 0.9, beta2 = 0.999, eps = 1.0e-8, weight_decay = 0.1, scope = #tx.scope<"adamw">} : (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<f32>, tensor<1xi32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>)
  return
}

// -----

func.func @head_weight(%x: tensor<2x4x6xf32>, %w: tensor<7xf32>, %t: tensor<2x4xi32>) {
  // expected-error @below {{'tx.linear_cross_entropy' op takes a weight of two dimensions, found 'tensor<7xf32>'}}
  %0, %1 = tx.linear_cross_entropy %x, %w, %t ignore -100 head "head" in <"loss"> : tensor<2x4x6xf32>, tensor<7xf32>, tensor<2x4xi32>
  return
}

// -----

func.func @head_elements(%x: tensor<2x4x6xbf16>, %w: tensor<7x6xf32>, %t: tensor<2x4xi32>) {
  // expected-error @below {{'tx.linear_cross_entropy' op takes x and a weight of one element type, found 'tensor<2x4x6xbf16>' and 'tensor<7x6xf32>'}}
  %0, %1 = tx.linear_cross_entropy %x, %w, %t transposed ignore -100 head "head" in <"loss"> : tensor<2x4x6xbf16>, tensor<7x6xf32>, tensor<2x4xi32>
  return
}

// -----

func.func @head_scalar(%x: tensor<f32>, %w: tensor<7x6xf32>, %t: tensor<2x4xi32>) {
  // expected-error @below {{'tx.linear_cross_entropy' op takes x [b, s, h], found 'tensor<f32>'}}
  %0, %1 = tx.linear_cross_entropy %x, %w, %t transposed ignore -100 head "head" in <"loss"> : tensor<f32>, tensor<7x6xf32>, tensor<2x4xi32>
  return
}

// -----

func.func @head_rows(%x: tensor<2x4x5xf32>, %w: tensor<7x6xf32>, %t: tensor<2x4xi32>) {
  // expected-error @below {{'tx.linear_cross_entropy' op takes rows of 6 elements for the weight 'tensor<7x6xf32>' (transposed), found 'tensor<2x4x5xf32>'}}
  %0, %1 = tx.linear_cross_entropy %x, %w, %t transposed ignore -100 head "head" in <"loss"> : tensor<2x4x5xf32>, tensor<7x6xf32>, tensor<2x4xi32>
  return
}

// -----

func.func @head_targets(%x: tensor<2x4x6xf32>, %w: tensor<7x6xf32>, %t: tensor<2x5xi32>) {
  // expected-error @below {{'tx.linear_cross_entropy' op takes x [b, s, h] and targets [b, s], found 'tensor<2x4x6xf32>' and 'tensor<2x5xi32>'}}
  %0, %1 = tx.linear_cross_entropy %x, %w, %t transposed ignore -100 head "head" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x5xi32>
  return
}

// -----

func.func @head_logits(%x: tensor<1073741824x2xf32>, %w: tensor<1073741824x2xf32>, %t: tensor<1073741824xi32>) {
  // expected-error @below {{'tx.linear_cross_entropy' op has more than 2^56 logits}}
  %0, %1 = tx.linear_cross_entropy %x, %w, %t transposed ignore -100 head "head" in <"loss"> : tensor<1073741824x2xf32>, tensor<1073741824x2xf32>, tensor<1073741824xi32>
  return
}

// -----

func.func @head_flops(%x: tensor<268435456x1048576xf32>, %w: tensor<268435456x1048576xf32>, %t: tensor<268435456xi32>) {
  // expected-error @below {{'tx.linear_cross_entropy' op has more than 2^63 FLOPs}}
  %0, %1 = tx.linear_cross_entropy %x, %w, %t transposed ignore -100 head "head" in <"loss"> : tensor<268435456x1048576xf32>, tensor<268435456x1048576xf32>, tensor<268435456xi32>
  return
}

// -----

func.func @head_path(%x: tensor<2x4x6xf32>, %w: tensor<7x6xf32>, %t: tensor<2x4xi32>) {
  // expected-error @below {{'tx.linear_cross_entropy' op has a name with a NUL character, after 'a'}}
  %0, %1 = tx.linear_cross_entropy %x, %w, %t transposed ignore -100 head "a\00b" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>
  return
}

// -----

func.func @head_grad_scalar(%x: tensor<f32>, %w: tensor<7x6xf32>, %t: tensor<2x4xi32>, %s: tensor<f32>) {
  // expected-error @below {{'tx.linear_cross_entropy_grad' op takes x [b, s, h], found 'tensor<f32>'}}
  %0, %1, %2 = tx.linear_cross_entropy_grad %x, %w, %t scale %s transposed input ignore -100 head "head" in <"loss"> : tensor<f32>, tensor<7x6xf32>, tensor<2x4xi32>, tensor<f32>
  return
}

// -----

func.func @head_grad_scale(%x: tensor<2x4x6xf32>, %w: tensor<7x6xf32>, %t: tensor<2x4xi32>, %s: tensor<1xf32>) {
  // expected-error @below {{'tx.linear_cross_entropy_grad' op takes the gradient of a sum of type 'tensor<f32>', found 'tensor<1xf32>'}}
  %0, %1, %2 = tx.linear_cross_entropy_grad %x, %w, %t scale %s transposed input ignore -100 head "head" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>, tensor<1xf32>
  return
}

// -----

func.func @head_grad_none(%x: tensor<2x4x6xf32>, %w: tensor<7x6xf32>, %t: tensor<2x4xi32>, %s: tensor<f32>) {
  // expected-error @below {{'tx.linear_cross_entropy_grad' op gives no gradient; without one it is tx.linear_cross_entropy}}
  %0, %1 = tx.linear_cross_entropy_grad %x, %w, %t scale %s transposed ignore -100 head "head" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>, tensor<f32>
  return
}

// -----

func.func @head_grad_reset(%x: tensor<2x4x6xf32>, %w: tensor<7x6xf32>, %t: tensor<2x4xi32>, %s: tensor<f32>, %r: tensor<i1>) {
  // expected-error @below {{'tx.linear_cross_entropy_grad' op resets an accumulator that it does not have}}
  %0, %1, %2 = tx.linear_cross_entropy_grad %x, %w, %t scale %s reset %r transposed input ignore -100 head "head" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>, tensor<f32> reset tensor<i1>
  return
}

// -----

func.func @head_grad_accumulator(%x: tensor<2x4x6xf32>, %w: tensor<7x6xf32>, %t: tensor<2x4xi32>, %s: tensor<f32>, %a: tensor<6x7xf32>) {
  // expected-error @below {{'tx.linear_cross_entropy_grad' op takes an accumulator of the weight's shape, found 'tensor<6x7xf32>' for 'tensor<7x6xf32>'}}
  %0, %1, %2 = tx.linear_cross_entropy_grad %x, %w, %t scale %s into %a transposed ignore -100 head "head" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>, tensor<f32>, tensor<6x7xf32>
  return
}

// -----

func.func @slice_rows_elements(%x: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.slice_rows' op gives rows of the whole's element type, found 'tensor<3x6xbf16>' of 'tensor<2x4x6xf32>'}}
  %0 = tx.slice_rows %x 0 in <"head"> : tensor<2x4x6xf32> -> tensor<3x6xbf16>
  return
}

// -----

func.func @slice_rows_shape(%x: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.slice_rows' op gives rows that the whole has, found 'tensor<3x5xf32>' of 'tensor<2x4x6xf32>'}}
  %0 = tx.slice_rows %x 0 in <"head"> : tensor<2x4x6xf32> -> tensor<3x5xf32>
  return
}

// -----

func.func @slice_rows_outside(%x: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.slice_rows' op takes 3 rows from row 6 on; not all are in the 8 of 'tensor<2x4x6xf32>'}}
  %0 = tx.slice_rows %x 6 in <"head"> : tensor<2x4x6xf32> -> tensor<3x6xf32>
  return
}

// -----

func.func @concat_rows_none() {
  // expected-error @below {{'tx.concat_rows' op needs at least one part}}
  %0 = "tx.concat_rows"() {scope = #tx.scope<"head">} : () -> tensor<2x4xf32>
  return
}

// -----

func.func @concat_rows_kinds(%x: tensor<2x6xf32>, %y: tensor<12xf32>) {
  // expected-error @below {{'tx.concat_rows' op takes parts of one kind of rows, which the whole has too, found 'tensor<12xf32>' for 'tensor<4x6xf32>'}}
  %0 = tx.concat_rows %x, %y in <"head"> : tensor<2x6xf32>, tensor<12xf32> -> tensor<4x6xf32>
  return
}

// -----

func.func @concat_rows_count(%x: tensor<2x6xf32>, %y: tensor<3x6xf32>) {
  // expected-error @below {{'tx.concat_rows' op takes parts of together 24 elements for 'tensor<4x6xf32>', found 30}}
  %0 = tx.concat_rows %x, %y in <"head"> : tensor<2x6xf32>, tensor<3x6xf32> -> tensor<4x6xf32>
  return
}

// -----

func.func @select_rows(%x: tensor<2x4x6xf32>, %r: tensor<3xi32>) {
  // expected-error @below {{'tx.select_rows' op takes x [b, s, h] and rows [b], found 'tensor<2x4x6xf32>' and 'tensor<3xi32>'}}
  %0 = tx.select_rows %x, %r in <"head"> : tensor<2x4x6xf32>, tensor<3xi32>
  return
}
