// Each message of attention as one op.
// RUN: tx-opt %s --split-input-file --verify-diagnostics

func.func @other_batch(%q: tensor<2x4x6xf32>, %k: tensor<3x4x6xf32>) {
  // expected-error @below {{'tx.flash_attention' op takes q [b, s, h] and k, v [b, t, g], found 'tensor<2x4x6xf32>' and 'tensor<3x4x6xf32>'}}
  %o, %lse = tx.flash_attention %q, %k, %k heads 2 scale 1.0 in <"a"> : tensor<2x4x6xf32>, tensor<3x4x6xf32>
  return
}

// -----

func.func @heads_that_do_not_divide(%q: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.flash_attention' op has 4 heads, which do not divide a hidden size of 6}}
  %o, %lse = tx.flash_attention %q, %q, %q heads 4 scale 1.0 in <"a"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
  return
}

// -----

func.func @no_heads(%q: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.flash_attention' op has 0 heads, which do not divide a hidden size of 6}}
  %o, %lse = tx.flash_attention %q, %q, %q heads 0 scale 1.0 in <"a"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
  return
}

// -----

func.func @part_of_a_head(%q: tensor<2x4x6xf32>, %k: tensor<2x4x3xf32>) {
  // expected-error @below {{'tx.flash_attention' op has 3 heads of width 2, which do not share keys and values of width 3 evenly}}
  %o, %lse = tx.flash_attention %q, %k, %k heads 3 scale 1.0 in <"a"> : tensor<2x4x6xf32>, tensor<2x4x3xf32>
  return
}

// -----

func.func @uneven_groups(%q: tensor<2x4x6xf32>, %k: tensor<2x4x4xf32>) {
  // expected-error @below {{'tx.flash_attention' op has 3 heads of width 2, which do not share keys and values of width 4 evenly}}
  %o, %lse = tx.flash_attention %q, %k, %k heads 3 scale 1.0 in <"a"> : tensor<2x4x6xf32>, tensor<2x4x4xf32>
  return
}

// -----

func.func @another_type(%q: tensor<2x4x6xf32>, %k: tensor<2x4x6xbf16>) {
  // expected-error @below {{'tx.flash_attention' op takes q, k and v of one element type, found 'tensor<2x4x6xf32>' and 'tensor<2x4x6xbf16>'}}
  %o, %lse = tx.flash_attention %q, %k, %k heads 2 scale 1.0 in <"a"> : tensor<2x4x6xf32>, tensor<2x4x6xbf16>
  return
}

// -----

func.func @causal_with_fewer_keys(%q: tensor<2x4x6xf32>, %k: tensor<2x3x6xf32>) {
  // expected-error @below {{'tx.flash_attention' op is causal and takes t >= s, found 'tensor<2x4x6xf32>' and 'tensor<2x3x6xf32>'}}
  %o, %lse = tx.flash_attention %q, %k, %k heads 2 scale 1.0 causal in <"a"> : tensor<2x4x6xf32>, tensor<2x3x6xf32>
  return
}

// -----

func.func @drops_all(%q: tensor<2x4x6xf32>, %key: tensor<4xi32>) {
  // expected-error @below {{'tx.flash_attention' op takes a probability in [0, 1), found 1.000000e+00}}
  %o, %lse = tx.flash_attention %q, %q, %q heads 2 scale 1.0 dropout %key p 1.0 in <"a"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<4xi32>
  return
}

// -----

func.func @short_key(%q: tensor<2x4x6xf32>, %key: tensor<2xi32>) {
  // expected-error @below {{'tx.flash_attention' op takes a key of four words, found 'tensor<2xi32>'}}
  %o, %lse = tx.flash_attention %q, %q, %q heads 2 scale 1.0 dropout %key p 0.5 in <"a"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<2xi32>
  return
}

// -----

func.func @no_key(%q: tensor<2x4x6xf32>) {
  // expected-error @below {{'tx.flash_attention' op has dropout of 5.000000e-01 and no key}}
  %o, %lse = "tx.flash_attention"(%q, %q, %q) <{heads = 2 : i64, scale = 1.0 : f64, probability = 0.5 : f64, scope = #tx.scope<"a">}> : (tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<2x4x6xf32>) -> (tensor<2x4x6xf32>, tensor<2x2x4xf32>)
  return
}

// -----

func.func @too_many_flops(%q: tensor<1x16777216x134217728xbf16>) {
  // expected-error @below {{'tx.flash_attention' op has more than 2^63 FLOPs}}
  %o, %lse = tx.flash_attention %q, %q, %q heads 1 scale 1.0 in <"a"> : tensor<1x16777216x134217728xbf16>, tensor<1x16777216x134217728xbf16>
  return
}

// -----

func.func @lse_of_another_shape(%q: tensor<2x4x6xf32>, %lse: tensor<2x4x2xf32>) {
  // expected-error @below {{'tx.flash_attention_grad' op takes a log-sum-exp of 'tensor<2x2x4xf32>', found 'tensor<2x4x2xf32>'}}
  %dq, %dk, %dv = tx.flash_attention_grad %q, %q, %q, %q, %q, %lse heads 2 scale 1.0 in <backward, "a"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<2x4x2xf32>
  return
}

// -----

func.func @gradient_of_no_heads(%q: tensor<2x4x6xf32>, %lse: tensor<2x2x4xf32>) {
  // expected-error @below {{'tx.flash_attention_grad' op has 0 heads, which do not divide a hidden size of 6}}
  %dq, %dk, %dv = tx.flash_attention_grad %q, %q, %q, %q, %q, %lse heads 0 scale 1.0 in <backward, "a"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<2x2x4xf32>
  return
}
