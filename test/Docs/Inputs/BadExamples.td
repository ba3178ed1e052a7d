// Not compiled: what run_op_examples.py must find.

def Tx_LoadOp : Tx_Op<"load", []> {
  let description = [{
    ```
    %w = tx.load @w : tensor<8x4xf32>
    ```
  }];
}

def Tx_GeluOp : Tx_ComputeOp<"gelu", (ins Tx_FloatTensor:$x)> {
  let description = [{
    ```mlir
    %y = tx.gelu %x in <later, "mlp.mlp_act"> : tensor<2x4x8xf32>
    ```
  }];
}

def Tx_AddOp : Tx_ComputeOp<"add", (ins Tx_FloatTensor:$lhs, Tx_FloatTensor:$rhs)> {
  let description = [{
    ```mlir
    %y = tx.gelu %x in <"mlp.mlp_act"> : tensor<2x4x8xf32>
    ```
  }];
}

def Tx_ScopeAttr : AttrDef<Tx_Dialect, "Scope"> {
  let mnemonic = "scope";
  let description = [{
    ```mlir
    <layer -1, "mlp">
    ```
  }];
}

def Tx_ConcatOp : Tx_ComputeOp<"concat", (ins Variadic<Tx_FloatTensor>:$parts)> {
  let description = [{
    ```mlir
    %x = tx.concat %a, %b in <"qkv"> : tensor<2x4xf32>, tensor<2x2xf32>
    ```
  }];
}
