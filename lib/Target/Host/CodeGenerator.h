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

  /// Creates a generator for a CPU with AVX2 and FMA; emits an error for other CPUs. With `wantsTiles` and CPU "host",
  /// the code may also use this machine's matrix unit (AMX).
  static mlir::FailureOr<CodeGenerator> create(const HostTargetOptions &options, bool wantsTiles, mlir::Location loc);

  /// The CPU and features, as a part of cache keys: other features give other code.
  std::string describe() const;
  /// Whether the code may use a feature, by LLVM's name.
  bool has(llvm::StringRef feature) const;
  /// Whether the code may use a matrix unit.
  bool hasTiles() const;

  /// Compiles a module of functions as `tx-lower-kernels-to-vector` makes them, with memrefs as bare pointers, to an
  /// object that still has to be linked (ObjectLink.h). `add` may be null; otherwise it adds entry points to the LLVM
  /// module. On failure an error is on `module`.
  mlir::FailureOr<llvm::SmallVector<char, 0>> generate(mlir::ModuleOp module,
                                                       llvm::function_ref<void(llvm::Module &)> add) const;

private:
  explicit CodeGenerator(std::unique_ptr<llvm::TargetMachine> machine) : machine(std::move(machine)) {}
  void setAttributes(llvm::Module &module) const;

  std::unique_ptr<llvm::TargetMachine> machine;
};

/// The features of a matrix unit. Only programs with bf16 products ask for them.
inline constexpr const char *kTileFeatures[] = {"amx-tile", "amx-bf16"};

} // namespace tx::host

#endif // TX_LIB_TARGET_HOST_CODEGENERATOR_H
