// RUN: tx-opt %s --tx-run-checks

// Attention in its parts, and as one op.

// Two heads of two columns; scores [b, head, query, key].
func.func @scores() {
  %q = arith.constant dense<[[[1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, -1.0]]]> : tensor<1x2x4xf32>
  %k = arith.constant dense<[[[1.0, 0.0, 0.0, 1.0], [2.0, 2.0, 1.0, 0.0]]]> : tensor<1x2x4xf32>
  %s = tx.attention_scores %q, %k heads 2 scale 0.5 in <"core_attn"> : tensor<1x2x4xf32>, tensor<1x2x4xf32>
  check.equal %s, dense<[[[[0.5, 3.0], [0.0, 1.0]], [[2.0, 1.5], [-0.5, 0.0]]]]> : tensor<1x2x2x2xf32>
  return
}

func.func @context() {
  %p = arith.constant dense<[[[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.25, 0.75]]]]> : tensor<1x2x2x2xf32>
  %v = arith.constant dense<[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]> : tensor<1x2x4xf32>
  %o = tx.attention_context %p, %v in <"core_attn"> : tensor<1x2x2x2xf32>, tensor<1x2x4xf32>
  check.equal %o, dense<[[[1.0, 2.0, 7.0, 8.0], [3.0, 4.0, 6.0, 7.0]]]> : tensor<1x2x4xf32>
  // Over the queries: what the gradient of v needs.
  %t = tx.attention_context %p, %v transposed in <backward, "core_attn"> : tensor<1x2x2x2xf32>, tensor<1x2x4xf32>
  check.equal %t, dense<[[[3.5, 5.0, 1.75, 2.0], [2.5, 3.0, 8.25, 10.0]]]> : tensor<1x2x4xf32>
  return
}

// Four heads of q, of which two in a row share a head of k; or the other way around.
func.func @scores_of_shared_heads() {
  %q = arith.constant dense<[[[1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, -1.0]]]> : tensor<1x2x4xf32>
  %k = arith.constant dense<[[[1.0, 10.0], [2.0, 20.0]]]> : tensor<1x2x2xf32>
  %s = tx.attention_scores %q, %k heads 4 scale 0.5 in <"core_attn"> : tensor<1x2x4xf32>, tensor<1x2x2xf32>
  check.equal %s, dense<[[[[0.5, 1.0], [0.0, 0.0]], [[1.0, 2.0], [0.5, 1.0]], [[15.0, 30.0], [0.0, 0.0]], [[20.0, 40.0], [-5.0, -10.0]]]]> : tensor<1x4x2x2xf32>
  %r = tx.attention_scores %k, %q heads 4 scale 0.5 in <"core_attn"> : tensor<1x2x2xf32>, tensor<1x2x4xf32>
  check.equal %r, dense<[[[[0.5, 0.0], [1.0, 0.0]], [[1.0, 0.5], [2.0, 1.0]], [[15.0, 0.0], [30.0, 0.0]], [[20.0, -5.0], [40.0, -10.0]]]]> : tensor<1x4x2x2xf32>
  return
}

func.func @context_of_shared_heads() {
  %p = arith.constant dense<[[[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.25, 0.75]]]]> : tensor<1x2x2x2xf32>
  %v = arith.constant dense<[[[1.0, 2.0, 3.0], [5.0, 6.0, 7.0]]]> : tensor<1x2x3xf32>
  %o = tx.attention_context %p, %v groups 1 in <"core_attn"> : tensor<1x2x2x2xf32>, tensor<1x2x3xf32>
  check.equal %o, dense<[[[1.0, 2.0, 3.0, 5.0, 6.0, 7.0], [3.0, 4.0, 5.0, 4.0, 5.0, 6.0]]]> : tensor<1x2x6xf32>
  %t = tx.attention_context %p, %v transposed groups 1 scale 2.0 in <backward, "core_attn"> : tensor<1x2x2x2xf32>, tensor<1x2x3xf32>
  check.equal %t, dense<[[[7.0, 10.0, 13.0, 2.5, 3.0, 3.5], [5.0, 6.0, 7.0, 9.5, 13.0, 16.5]]]> : tensor<1x2x6xf32>
  return
}

// Heads 0, 1, 2 and heads 3, 4, 5, of one column each; then of two.
func.func @sums_of_heads() {
  %x = arith.constant dense<[[[1.0, 2.0, 3.0, 10.0, 20.0, 30.0], [0.5, 0.25, 1.0, -1.0, -2.0, 4.0]]]> : tensor<1x2x6xf32>
  %y = tx.sum_head_groups %x heads 6 groups 2 in <backward, "core_attn"> : tensor<1x2x6xf32>
  check.equal %y, dense<[[[6.0, 60.0], [1.75, 1.0]]]> : tensor<1x2x2xf32>
  %z = tx.sum_head_groups %x heads 3 groups 1 in <backward, "core_attn"> : tensor<1x2x6xf32>
  check.equal %z, dense<[[[24.0, 42.0], [-0.5, 3.25]]]> : tensor<1x2x2xf32>
  return
}

// Heads of an odd width, three in a row with one head of keys and values.
func.func @flash_of_groups_is_its_parts() {
  %q = check.random seed 1 from -1.0 to 1.0 : tensor<2x67x42xf32>
  %k = check.random seed 2 from -1.0 to 1.0 : tensor<2x67x14xf32>
  %v = check.random seed 3 from -1.0 to 1.0 : tensor<2x67x14xf32>
  %do = check.random seed 4 from -1.0 to 1.0 : tensor<2x67x42xf32>
  %o, %lse = tx.flash_attention %q, %k, %v heads 6 scale 0.4 causal in <"core_attn"> : tensor<2x67x42xf32>, tensor<2x67x14xf32>
  %dq, %dk, %dv = tx.flash_attention_grad %do, %q, %k, %v, %o, %lse heads 6 scale 0.4 causal in <backward, "core_attn"> : tensor<2x67x42xf32>, tensor<2x67x14xf32>, tensor<2x6x67xf32>
  %s = tx.attention_scores %q, %k heads 6 scale 0.4 in <"core_attn"> : tensor<2x67x42xf32>, tensor<2x67x14xf32>
  %p = tx.softmax %s causal in <"core_attn"> : tensor<2x6x67x67xf32>
  %o1 = tx.attention_context %p, %v groups 2 in <"core_attn"> : tensor<2x6x67x67xf32>, tensor<2x67x14xf32>
  %dp = tx.attention_scores %do, %v heads 6 scale 1.0 in <backward, "core_attn"> : tensor<2x67x42xf32>, tensor<2x67x14xf32>
  %ds = tx.softmax_grad %dp, %p in <backward, "core_attn"> : tensor<2x6x67x67xf32>
  %dq1 = tx.attention_context %ds, %k groups 2 scale 0.4 in <backward, "core_attn"> : tensor<2x6x67x67xf32>, tensor<2x67x14xf32>
  %dk_heads = tx.attention_context %ds, %q transposed scale 0.4 in <backward, "core_attn"> : tensor<2x6x67x67xf32>, tensor<2x67x42xf32>
  %dk1 = tx.sum_head_groups %dk_heads heads 6 groups 2 in <backward, "core_attn"> : tensor<2x67x42xf32>
  %dv_heads = tx.attention_context %p, %do transposed in <backward, "core_attn"> : tensor<2x6x67x67xf32>, tensor<2x67x42xf32>
  %dv1 = tx.sum_head_groups %dv_heads heads 6 groups 2 in <backward, "core_attn"> : tensor<2x67x42xf32>
  check.near %o, %o1 : tensor<2x67x42xf32> within absolute 2.0e-6
  check.near %dq, %dq1 : tensor<2x67x42xf32> within absolute 2.0e-6
  check.near %dk, %dk1 : tensor<2x67x14xf32> within absolute 4.0e-6
  check.near %dv, %dv1 : tensor<2x67x14xf32> within absolute 4.0e-6
  return
}

// Longer than a tile of 64 keys, with dropout, whose counters go by 64 columns: the same mask, and the same sums up to
// their order.
func.func @flash_is_its_parts() {
  %q = check.random seed 1 from -1.0 to 1.0 : tensor<2x70x6xf32>
  %k = check.random seed 2 from -1.0 to 1.0 : tensor<2x70x6xf32>
  %v = check.random seed 3 from -1.0 to 1.0 : tensor<2x70x6xf32>
  %key = arith.constant dense<[5, 6, 7, 0]> : tensor<4xi32>
  %o, %lse = tx.flash_attention %q, %k, %v heads 2 scale 0.5 causal dropout %key p 0.375 in <"core_attn"> : tensor<2x70x6xf32>, tensor<2x70x6xf32>, tensor<4xi32>
  %s = tx.attention_scores %q, %k heads 2 scale 0.5 in <"core_attn"> : tensor<2x70x6xf32>, tensor<2x70x6xf32>
  %p = tx.softmax %s causal in <"core_attn"> : tensor<2x2x70x70xf32>
  %m = tx.dropout %p, %key p 0.375 in <"core_attn"> : tensor<2x2x70x70xf32>, tensor<4xi32>
  %o1 = tx.attention_context %m, %v in <"core_attn"> : tensor<2x2x70x70xf32>, tensor<2x70x6xf32>
  check.near %o, %o1 : tensor<2x70x6xf32> within absolute 2.0e-6
  return
}

func.func @flash_gradients_are_those_of_its_parts() {
  %q = check.random seed 1 from -1.0 to 1.0 : tensor<2x70x6xf32>
  %k = check.random seed 2 from -1.0 to 1.0 : tensor<2x70x6xf32>
  %v = check.random seed 3 from -1.0 to 1.0 : tensor<2x70x6xf32>
  %do = check.random seed 4 from -1.0 to 1.0 : tensor<2x70x6xf32>
  %key = arith.constant dense<[5, 6, 7, 0]> : tensor<4xi32>
  %o, %lse = tx.flash_attention %q, %k, %v heads 2 scale 0.5 causal dropout %key p 0.375 in <"core_attn"> : tensor<2x70x6xf32>, tensor<2x70x6xf32>, tensor<4xi32>
  %dq, %dk, %dv = tx.flash_attention_grad %do, %q, %k, %v, %o, %lse heads 2 scale 0.5 causal dropout %key p 0.375 in <backward, "core_attn"> : tensor<2x70x6xf32>, tensor<2x70x6xf32>, tensor<2x2x70xf32>, tensor<4xi32>
  %s = tx.attention_scores %q, %k heads 2 scale 0.5 in <"core_attn"> : tensor<2x70x6xf32>, tensor<2x70x6xf32>
  %p = tx.softmax %s causal in <"core_attn"> : tensor<2x2x70x70xf32>
  %m = tx.dropout %p, %key p 0.375 in <"core_attn"> : tensor<2x2x70x70xf32>, tensor<4xi32>
  %dm = tx.attention_scores %do, %v heads 2 scale 1.0 in <backward, "core_attn"> : tensor<2x70x6xf32>, tensor<2x70x6xf32>
  %dp = tx.dropout %dm, %key p 0.375 in <backward, "core_attn"> : tensor<2x2x70x70xf32>, tensor<4xi32>
  %ds = tx.softmax_grad %dp, %p in <backward, "core_attn"> : tensor<2x2x70x70xf32>
  %dq1 = tx.attention_context %ds, %k scale 0.5 in <backward, "core_attn"> : tensor<2x2x70x70xf32>, tensor<2x70x6xf32>
  %dk1 = tx.attention_context %ds, %q transposed scale 0.5 in <backward, "core_attn"> : tensor<2x2x70x70xf32>, tensor<2x70x6xf32>
  %dv1 = tx.attention_context %m, %do transposed in <backward, "core_attn"> : tensor<2x2x70x70xf32>, tensor<2x70x6xf32>
  check.near %dq, %dq1 : tensor<2x70x6xf32> within absolute 2.0e-6
  check.near %dk, %dk1 : tensor<2x70x6xf32> within absolute 2.0e-6
  check.near %dv, %dv1 : tensor<2x70x6xf32> within absolute 2.0e-6
  return
}
