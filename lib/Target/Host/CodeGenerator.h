//===- CodeGenerator.h - Functions on memory as x86-64 code ---------------------------------------------*- C++ -*-===//
//
//   FailureOr<CodeGenerator> generator = CodeGenerator::create({.cpu = "host"}, false, loc);
//   FailureOr<SmallVector<char, 0>> object = generator->generate(module, {});
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_TARGET_HOST_CODEGENERATOR_H
#define TX_LIB_TARGET_HOST_CODEGENERATOR_H

#include "tx/Target/HostKernels.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace tx::host {

class CodeGenerator {
public:
  static constexpr const char *triple = "x86_64-unknown-linux-gnu";

  /// For a CPU with AVX2 and FMA; others are diagnosed. `wantsTiles`: of this machine, the matrix unit too.
  static mlir::FailureOr<CodeGenerator> create(const HostTargetOptions &options, bool wantsTiles, mlir::Location loc);

  /// CPU and features: code for other ones is other code.
  std::string describe() const;
  /// By LLVM's name of a feature.
  bool has(llvm::StringRef feature) const;
  /// A matrix unit.
  bool hasTiles() const;

  /// An object with the functions of a module as `tx-lower-kernels-to-vector` makes them, memrefs as bare pointers, and
  /// with those that `add` makes of them; to be linked (ObjectLink.h). `add` is null or adds entry points. Diagnosed at
  /// the module on failure.
  mlir::FailureOr<llvm::SmallVector<char, 0>> generate(mlir::ModuleOp module,
                                                       llvm::function_ref<void(llvm::Module &)> add) const;

private:
  explicit CodeGenerator(std::unique_ptr<llvm::TargetMachine> machine) : machine(std::move(machine)) {}
  void setAttributes(llvm::Module &module) const;

  std::unique_ptr<llvm::TargetMachine> machine;
};

/// Features of CPUs with a matrix unit. Asked for by programs with bf16 products alone.
inline constexpr const char *kTileFeatures[] = {"amx-tile", "amx-bf16"};

} // namespace tx::host

#endif // TX_LIB_TARGET_HOST_CODEGENERATOR_H
