//===- CheckOps.td - What a test expects of values -------------------------------------------------*- tablegen -*-===//

#ifndef CHECK_OPS_TD
#define CHECK_OPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Check_Dialect : Dialect {
  let name = "check";
  let cppNamespace = "::tx::check";
  let summary = "Values in `.mlir` tests: what a function of `tx` ops computes";
  let description = [{
    `tx-opt --tx-run-checks` runs each function of a file on the reference interpreter and on
    the host, and compares. A function has no arguments: its inputs are written in it
    (`arith.constant`, or `check.random` where the numbers do not matter).

    ```mlir
    func.func @gelu() {
      %x = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
      %y = tx.gelu %x in <"act"> : tensor<2xf32>
      check.near %y, dense<[0.0, 0.841192]> : tensor<2xf32> within absolute 1.0e-6
      return
    }
    ```

    The host's code is the one of the normal way through `step`, at each level of CPU that this
    machine has. A function with f64 in it runs on the reference alone, since no backend has f64.

    Whichever op compares, a value is first rounded to its tensor's element type: the reference
    computes f32 in double. All NaNs are one value, since no op promises sign or payload of a
    NaN. `check.equal` tells 0 from -0; `check.near` does not.
  }];
}

class Check_Op<string mnemonic, list<Trait> traits = []> : Op<Check_Dialect, mnemonic, traits>;

def Check_Tensor : StaticShapeTensorOf<[F32, BF16, F64, I32, I1]>;
def Check_FloatTensor : StaticShapeTensorOf<[F32, BF16, F64]>;
def Check_RandomTensor : StaticShapeTensorOf<[F32, BF16, F64, I32]>;

def Check_CompareOpInterface : OpInterface<"CompareOpInterface"> {
  let cppNamespace = "::tx::check";
  let description = [{Compares a value with written ones, or with another value.}];
  let methods = [
    InterfaceMethod<"The value that is looked at.", "::mlir::Value", "getFound">,
    InterfaceMethod<"The value it is compared with; null: there are written ones.", "::mlir::Value", "getOther">,
    InterfaceMethod<"The written values; null: there is another value.", "::mlir::ElementsAttr", "getWrittenAttr">,
    InterfaceMethod<"Whether an element is what it should be; both are numbers of the tensor's type.",
                    "bool", "agrees", (ins "double":$found, "double":$expected)>,
    InterfaceMethod<[{How far an element is from what it should be; of the elements that do not agree the one
                      where it is largest is told.}],
                    "double", "getDistance", (ins "double":$found, "double":$expected)>,
    InterfaceMethod<"For people: what was allowed, `absolute 1e-06`; empty: nothing.", "std::string", "getTolerance">,
  ];
}

class Check_CompareOp<string mnemonic, Type type, dag tolerance = (ins)>
    : Check_Op<mnemonic, [Check_CompareOpInterface]> {
  let arguments = !con((ins type:$found, Optional<type>:$other, OptionalAttr<ElementsAttr>:$written), tolerance);
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    bool agrees(double found, double expected);
    double getDistance(double found, double expected);
    std::string getTolerance();
  }];
}

def Check_EqualOp : Check_CompareOp<"equal", Check_Tensor> {
  let summary = "the value has these bits";
  let description = [{
    Each element has the bits of the written one, or of the other value's element. All NaNs are
    one; 0 and -0 are two.

    ```mlir
    check.equal %mask, dense<[true, false]> : tensor<2xi1>
    check.equal %fused, %apart : tensor<2x4xf32>
    check.equal %largest, dense<[0x7F800000, -0.0]> : tensor<2xf32>
    ```
  }];
  let assemblyFormat = "$found `,` custom<Expected>($other, $written, type($found), type($other)) attr-dict";
}

def Check_NearOp : Check_CompareOp<"near", Check_FloatTensor,
    (ins DefaultValuedAttr<F64Attr, "0.0">:$absolute, DefaultValuedAttr<F64Attr, "0.0">:$relative)> {
  let summary = "the value is near these numbers";
  let description = [{
    Of each element |found - expected| is at most `absolute` + `relative` * |expected|. An
    infinity is near itself alone, and NaN near NaN.

    ```mlir
    check.near %y, dense<[0.5, -1.5]> : tensor<2xf32> within absolute 1.0e-6
    check.near %y, %z : tensor<2xf32> within absolute 1.0e-7 relative 1.0e-6
    ```
  }];
  let assemblyFormat = [{
    $found `,` custom<Expected>($other, $written, type($found), type($other))
    `within` custom<Tolerance>($absolute, $relative) attr-dict
  }];
}

def Check_RandomOp : Check_Op<"random", [Pure]> {
  let summary = "numbers that do not matter";
  let description = [{
    Spread evenly over [from, to), the same ones for the same seed, shape and type. Of i32: whole
    numbers from `from` on, below `to`.

    ```mlir
    %x = check.random seed 1 from -2.0 to 2.0 : tensor<3x5xf32>
    %tokens = check.random seed 2 from 0.0 to 7.0 : tensor<2x4xi32>
    ```
  }];
  let arguments = (ins I64Attr:$seed, F64Attr:$from, F64Attr:$to);
  let results = (outs Check_RandomTensor:$result);
  let assemblyFormat = "`seed` $seed `from` $from `to` $to attr-dict `:` type($result)";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Row-major; numbers of the result's type.
    std::vector<double> getValues();
  }];
}

#endif // CHECK_OPS_TD
