//===- ForeignOpTest.cpp - A kernel's op that no backend knows ----------------------------------------------------===//
//
// Who gives an op the kernel interface and forgets its lowering is told so, by each backend. Such an op is made here of
// one of another dialect.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Conversion/Gpu/Passes.h"
#include "tx/Conversion/Passes.h"
#include "tx/Dialect/Step/IR/StepOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace tx;

namespace {

KernelKind kind; // of the foreign op

struct ForeignKernel : KernelOpInterface::ExternalModel<ForeignKernel, arith::NegFOp> {
  KernelKind getKernelKind(Operation *) const { return kind; }
  std::pair<int64_t, int64_t> getKernelSpace(Operation *op) const {
    return {getRows(op->getResult(0).getType()), getColumns(op->getResult(0).getType())};
  }
};

class ForeignOp : public testing::TestWithParam<KernelKind> {
protected:
  ForeignOp() {
    DialectRegistry registry;
    registry.insert<step::StepDialect, TxDialect>();
    registerVectorKernelDialects(registry);
    registerGpuKernelDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    arith::NegFOp::attachInterface<ForeignKernel>(context);
    kind = GetParam();
    module = parseSourceString<ModuleOp>("step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {\n"
                                         "step.kernel @k " +
                                             stringifyKernelKind(kind).str() +
                                             " [2, 16] (%a: tensor<2x16xf32>) {\n"
                                             "%y = arith.negf %a : tensor<2x16xf32>\n"
                                             "step.yield %y : tensor<2x16xf32>\n}\n}",
                                         &context);
  }

  /// What `lower` says of the program.
  template <typename Lower> std::string messageOf(Lower lower) {
    std::string message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &d) { message += d.str(); });
    if (!module)
      return "it does not parse";
    EXPECT_TRUE(failed(lower(*module->getOps<step::ProgramOp>().begin())));
    return message;
  }

  /// A kernel's, after the backend's word.
  static std::string expected(const char *backend) {
    return std::string("'arith.negf' op has no ") + backend + " code as " +
           (kind == KernelKind::Tile ? "a kernel of tiles"
                                     : "part of a kernel of " + stringifyKernelKind(kind).str() + "s");
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_P(ForeignOp, HasNoHostCode) {
  EXPECT_EQ(messageOf([](step::ProgramOp program) { return lowerKernelsToVector(program); }), expected("host"));
}

TEST_P(ForeignOp, HasNoGpuCode) {
  EXPECT_EQ(messageOf([](step::ProgramOp program) { return lowerKernelsToGpu(program, "sm_90"); }), expected("GPU"));
}

INSTANTIATE_TEST_SUITE_P(Kinds, ForeignOp, testing::Values(KernelKind::Row, KernelKind::Column, KernelKind::Tile),
                         [](const auto &info) { return stringifyKernelKind(info.param).str(); });

} // namespace
