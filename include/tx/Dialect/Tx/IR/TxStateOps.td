//===- TxStateOps.td - Named state -----------------------------------------------------------------*- tablegen -*-===//

#ifndef TX_STATE_OPS_TD
#define TX_STATE_OPS_TD

include "tx/Dialect/Tx/IR/TxBase.td"

def Tx_GlobalOp : Tx_Op<"global", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "a parameter, a gradient or a piece of optimizer state";
  let description = [{
    Named with the Hugging Face name. `of` names the parameter that a gradient or a moment belongs to, of the same
    shape. `decay` says that weight decay applies. A parameter starts as zeros if nothing else is said.

    ```mlir
    tx.global @w parameter normal(0.02) decay : tensor<8x4xf32>
    tx.global @w.grad gradient of @w : tensor<8x4xf32>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       Tx_GlobalRole:$role,
                       DefaultValuedAttr<Tx_InitKind, "::tx::InitKind::Zeros">:$init,
                       DefaultValuedAttr<F64Attr, "0.0">:$stddev,
                       OptionalAttr<FlatSymbolRefAttr>:$of,
                       UnitAttr:$decay,
                       TypeAttrOf<Tx_AnyTensor>:$type);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Tx_LoadOp : Tx_Op<"load", [MemoryEffects<[MemRead]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the content of a global at entry";
  let description = [{
    ```mlir
    tx.global @w parameter ones : tensor<8x4xf32>

    %w = tx.load @w : tensor<8x4xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$global);
  let results = (outs Tx_AnyTensor:$result);
  let assemblyFormat = "$global attr-dict `:` type($result)";
}

def Tx_StoreOp : Tx_Op<"store", [MemoryEffects<[MemWrite]>, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the content of a global at exit";
  let description = [{
    ```mlir
    tx.global @w parameter ones : tensor<8x4xf32>
    tx.global @w.grad gradient of @w : tensor<8x4xf32>

    tx.store %g, @w.grad : tensor<8x4xf32>
    ```
  }];
  let arguments = (ins Tx_AnyTensor:$value, FlatSymbolRefAttr:$global);
  let assemblyFormat = "$value `,` $global attr-dict `:` type($value)";
}

#endif // TX_STATE_OPS_TD
