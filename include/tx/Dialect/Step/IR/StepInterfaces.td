//===- StepInterfaces.td - What the launches of an entry have in common ----------------------------*- tablegen -*-===//

#ifndef STEP_INTERFACES_TD
#define STEP_INTERFACES_TD

include "mlir/IR/OpBase.td"

def Step_LaunchOpInterface : OpInterface<"LaunchOpInterface"> {
  let cppNamespace = "::tx::step";
  let description = [{
    An op of an entry: a kernel's launch, a product, a collective. Its number is its place among all launches of the
    program, entry by entry: its index in the artifact's table. A dry run, a trace and the runtime's messages call the
    launch by this number.

    Launches of one lane run in order. A launch waits for launches of other lanes, at most one of each, that are before
    it in its entry; `waits` are their numbers.
  }];
  let methods = [
    InterfaceMethod<"The launch's number.", "::mlir::IntegerAttr", "getNumberAttr">,
    InterfaceMethod<"Gives the launch its number.", "void", "setNumberAttr", (ins "::mlir::IntegerAttr":$number)>,
    InterfaceMethod<"All buffers, in the order that the artifact's table has them.",
                    "::llvm::SmallVector<::tx::step::BufferAttr>", "getAllBuffers">,
    InterfaceMethod<"Whether the launch writes this one of all buffers.", "bool", "writesBuffer",
                    (ins "unsigned":$index)>,
    InterfaceMethod<"What runs the launch.", "::tx::Lane", "getLane", (ins), "", [{ return ::tx::Lane::Compute; }]>,
    InterfaceMethod<"The launches that have to be done before it; null: none.", "::mlir::DenseI64ArrayAttr",
                    "getWaitsAttr">,
    InterfaceMethod<"Gives the launch its waits.", "void", "setWaitsAttr", (ins "::mlir::DenseI64ArrayAttr":$waits)>,
  ];
}

#endif // STEP_INTERFACES_TD
