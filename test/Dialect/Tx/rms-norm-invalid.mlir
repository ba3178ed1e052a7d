// RUN: tx-opt %s --split-input-file --verify-diagnostics

func.func @of_a_scalar(%x: tensor<f32>, %w: tensor<1xf32>) {
  // expected-error @below {{'tx.rms_norm' op needs rows, found 'tensor<f32>'}}
  %0, %1 = tx.rms_norm %x, %w eps 1.0e-5 in <"norm"> : tensor<f32>, tensor<1xf32>
  return
}

// -----

func.func @another_weight(%x: tensor<2x6xf32>, %w: tensor<5xf32>) {
  // expected-error @below {{'tx.rms_norm' op takes a weight of 6 elements, found 'tensor<5xf32>'}}
  %0, %1 = tx.rms_norm %x, %w eps 1.0e-5 in <"norm"> : tensor<2x6xf32>, tensor<5xf32>
  return
}

// -----

// The weight is that of a head.
func.func @weight_of_a_row(%x: tensor<2x6xf32>, %w: tensor<6xf32>) {
  // expected-error @below {{'tx.rms_norm' op takes a weight of 2 elements, found 'tensor<6xf32>'}}
  %0, %1 = tx.rms_norm %x, %w eps 1.0e-5 heads 3 in <"norm"> : tensor<2x6xf32>, tensor<6xf32>
  return
}

// -----

func.func @uneven_heads(%x: tensor<2x6xf32>, %w: tensor<6xf32>) {
  // expected-error @below {{'tx.rms_norm' op has 4 heads, which do not divide rows of 6 elements}}
  %0, %1 = tx.rms_norm %x, %w eps 1.0e-5 heads 4 in <"norm"> : tensor<2x6xf32>, tensor<6xf32>
  return
}

// -----

func.func @without_eps(%x: tensor<2x6xf32>, %w: tensor<6xf32>) {
  // expected-error @below {{'tx.rms_norm' op takes a positive eps, found 0.000000e+00}}
  %0, %1 = tx.rms_norm %x, %w eps 0.0 in <"norm"> : tensor<2x6xf32>, tensor<6xf32>
  return
}

// -----

func.func @another_offset(%x: tensor<2x6xf32>, %w: tensor<6xf32>) {
  // expected-error @below {{'tx.rms_norm' op takes an offset of 0 or 1, found 2}}
  %0, %1 = tx.rms_norm %x, %w eps 1.0e-5 offset 2 in <"norm"> : tensor<2x6xf32>, tensor<6xf32>
  return
}

// -----

func.func @gradient_of_a_scalar(%x: tensor<f32>, %w: tensor<1xf32>) {
  // expected-error @below {{'tx.rms_norm_input_grad' op needs rows, found 'tensor<f32>'}}
  %0 = tx.rms_norm_input_grad %x, %x, %w, %x in <"norm"> : tensor<f32>, tensor<1xf32>, tensor<f32>
  return
}

// -----

func.func @gradient_with_another_weight(%x: tensor<2x6xf32>, %w: tensor<1x6xf32>, %s: tensor<2xf32>) {
  // expected-error @below {{'tx.rms_norm_input_grad' op takes a weight of 6 elements, found 'tensor<1x6xf32>'}}
  %0 = tx.rms_norm_input_grad %x, %x, %w, %s in <"norm"> : tensor<2x6xf32>, tensor<1x6xf32>, tensor<2xf32>
  return
}

// -----

func.func @gradient_with_another_offset(%x: tensor<2x6xf32>, %w: tensor<6xf32>, %s: tensor<2xf32>) {
  // expected-error @below {{'tx.rms_norm_input_grad' op takes an offset of 0 or 1, found -1}}
  %0 = tx.rms_norm_input_grad %x, %x, %w, %s offset -1 in <"norm"> : tensor<2x6xf32>, tensor<6xf32>, tensor<2xf32>
  return
}

// -----

// Of several heads there is a number for each.
func.func @gradient_with_other_statistics(%x: tensor<2x6xf32>, %w: tensor<2xf32>, %s: tensor<2xf32>) {
  // expected-error @below {{'tx.rms_norm_input_grad' op takes an rstd of shape [2, 3], found 'tensor<2xf32>'}}
  %0 = tx.rms_norm_input_grad %x, %x, %w, %s heads 3 in <"norm"> : tensor<2x6xf32>, tensor<2xf32>, tensor<2xf32>
  return
}

// -----

func.func @gradient_into_another(%x: tensor<2x6xf32>, %s: tensor<2xf32>, %a: tensor<5xf32>) {
  // expected-error @below {{'tx.rms_norm_weight_grad' op takes an accumulator of 6 elements, found 'tensor<5xf32>'}}
  %0 = tx.rms_norm_weight_grad %x, %x, %s into %a in <"norm"> : tensor<2x6xf32>, tensor<2xf32>, tensor<5xf32>
  return
}

// -----

func.func @weight_gradient_of_uneven_heads(%x: tensor<2x6xf32>, %s: tensor<2xf32>, %a: tensor<6xf32>) {
  // expected-error @below {{'tx.rms_norm_weight_grad' op has 0 heads, which do not divide rows of 6 elements}}
  %0 = tx.rms_norm_weight_grad %x, %x, %s into %a heads 0 in <"norm"> : tensor<2x6xf32>, tensor<2xf32>, tensor<6xf32>
  return
}

// -----

func.func @weight_gradient_with_other_statistics(%x: tensor<2x6xf32>, %s: tensor<2x1xf32>, %a: tensor<6xf32>) {
  // expected-error @below {{'tx.rms_norm_weight_grad' op takes an rstd of shape [2], found 'tensor<2x1xf32>'}}
  %0 = tx.rms_norm_weight_grad %x, %x, %s into %a in <"norm"> : tensor<2x6xf32>, tensor<2x1xf32>, tensor<6xf32>
  return
}
