// What the verifiers of a product and GELU in one refuse.
// RUN: tx-opt %s --split-input-file --verify-diagnostics

func.func @weight_of_one_dimension(%x: tensor<2x6xf32>, %w: tensor<6xf32>) {
  // expected-error @below {{'tx.linear_gelu' op takes a weight of two dimensions, found 'tensor<6xf32>'}}
  %0, %1 = tx.linear_gelu %x, %w in <"fc1"> : tensor<2x6xf32>, tensor<6xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @other_width(%x: tensor<2x6xf32>, %w: tensor<6x8xf32>) {
  // expected-error @below {{'tx.linear_gelu' op gives rows of 8 elements for 'tensor<2x6xf32>', found 'tensor<2x6xf32>'}}
  %0, %1 = tx.linear_gelu %x, %w in <"fc1"> : tensor<2x6xf32>, tensor<6x8xf32> -> tensor<2x6xf32>
  return
}

// -----

func.func @other_elements(%x: tensor<2x6xf32>, %w: tensor<6x8xbf16>) {
  // expected-error @below {{'tx.linear_gelu' op takes x and a weight of one element type, found 'tensor<2x6xf32>' and 'tensor<6x8xbf16>'}}
  %0, %1 = tx.linear_gelu %x, %w in <"fc1"> : tensor<2x6xf32>, tensor<6x8xbf16> -> tensor<2x8xf32>
  return
}

// -----

func.func @narrower(%x: tensor<2x6xf32>, %w: tensor<6x8xf32>) {
  // expected-error @below {{'tx.linear_gelu' op gives a type that is not narrower than its operands', found 'tensor<2x8xbf16>' for 'tensor<2x6xf32>'}}
  %0, %1 = tx.linear_gelu %x, %w in <"fc1"> : tensor<2x6xf32>, tensor<6x8xf32> -> tensor<2x8xbf16>
  return
}

// -----

func.func @bias_of_another_width(%x: tensor<2x6xf32>, %w: tensor<6x8xf32>, %b: tensor<6xf32>) {
  // expected-error @below {{'tx.linear_gelu' op takes a bias of 8 elements, found 'tensor<6xf32>'}}
  %0, %1 = tx.linear_gelu %x, %w bias %b in <"fc1"> : tensor<2x6xf32>, tensor<6x8xf32>, tensor<6xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @pre_of_another_type(%x: tensor<2x6xf32>, %w: tensor<6x8xf32>) {
  // expected-error @below {{'tx.linear_gelu' op failed to verify that all of {y, pre} have same type}}
  %0, %1 = "tx.linear_gelu"(%x, %w) <{scope = #tx.scope<"fc1">}> : (tensor<2x6xf32>, tensor<6x8xf32>) -> (tensor<2x8xf32>, tensor<2x6xf32>)
  return
}

// -----

func.func @gradient_of_other_rows(%dy: tensor<2x8xf32>, %w: tensor<6x8xf32>, %pre: tensor<3x6xf32>) {
  // expected-error @below {{'tx.linear_gelu_input_grad' op gives rows of 8 elements for 'tensor<3x6xf32>', found 'tensor<2x8xf32>'}}
  %0 = tx.linear_gelu_input_grad %dy, %w, %pre in <"fc2"> : tensor<2x8xf32>, tensor<6x8xf32> -> tensor<3x6xf32>
  return
}

// -----

func.func @gradient_of_other_elements(%dy: tensor<2x8xf32>, %w: tensor<6x8xbf16>, %pre: tensor<2x6xf32>) {
  // expected-error @below {{'tx.linear_gelu_input_grad' op takes dy and a weight of one element type, found 'tensor<2x8xf32>' and 'tensor<6x8xbf16>'}}
  %0 = tx.linear_gelu_input_grad %dy, %w, %pre in <"fc2"> : tensor<2x8xf32>, tensor<6x8xbf16> -> tensor<2x6xf32>
  return
}

// -----

func.func @sums_of_another_type(%dy: tensor<2x8xbf16>, %w: tensor<6x8xbf16>, %pre: tensor<2x6xbf16>) {
  // expected-error @below {{'tx.linear_gelu_input_grad' op gives sums of 'tensor<6xbf16>', found 'tensor<6xf32>'}}
  %0, %1 = tx.linear_gelu_input_grad %dy, %w, %pre in <"fc2"> : tensor<2x8xbf16>, tensor<6x8xbf16> -> tensor<2x6xbf16> sums tensor<6xf32>
  return
}

// -----

func.func @gradient_at_another_type(%dy: tensor<2x8xf32>, %w: tensor<6x8xf32>, %pre: tensor<2x6xbf16>) {
  // expected-error @below {{'tx.linear_gelu_input_grad' op failed to verify that all of {pre, dpre} have same type}}
  %0 = "tx.linear_gelu_input_grad"(%dy, %w, %pre) <{scope = #tx.scope<"fc2">}> : (tensor<2x8xf32>, tensor<6x8xf32>, tensor<2x6xbf16>) -> tensor<2x6xf32>
  return
}
