//===- RecomputeEditsTest.cpp - A recomputation edited in any one part --------------------------------------------===//
//
// Every recompute op of a rematerialized model is edited in each of its parts: its attributes, its place, its operands.
// What is still a valid program is refused by tx-verify-joint, in words that name the recomputation.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "JointModel.h"

#include "tx/Autodiff/Passes.h"
#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Frontend/ModelBuilder.h"
#include "tx/Remat/Remat.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace tx;

namespace {

std::string textOf(Operation *op) {
  std::string text;
  llvm::raw_string_ostream(text) << *op;
  return text;
}

ScopeAttr scopeOf(Operation *op) { return cast<ScopedOpInterface>(op).getScope(); }

/// What a value is but for the segment: an original and its clone are one.
std::string identityOf(Value value) {
  auto result = dyn_cast<OpResult>(value);
  auto scoped = result ? dyn_cast<ScopedOpInterface>(result.getOwner()) : ScopedOpInterface();
  if (!scoped || scoped.getScope().getSegment() == Segment::Backward)
    return "";
  Operation *form = scoped->cloneWithoutRegions();
  cast<ScopedOpInterface>(form).setScopeAttr(scopeOf(form).in(Segment::Forward));
  std::string text = form->getName().getStringRef().str() + "#" + std::to_string(result.getResultNumber());
  llvm::raw_string_ostream(text) << form->getPropertiesAsAttribute();
  form->destroy();
  return text;
}

/// Another value of the attribute's kind; null if none comes to mind.
Attribute changed(Attribute attribute) {
  Builder builder(attribute.getContext());
  if (auto number = dyn_cast<FloatAttr>(attribute))
    return builder.getFloatAttr(number.getType(), number.getValueAsDouble() + 0.125);
  if (auto flag = dyn_cast<BoolAttr>(attribute))
    return builder.getBoolAttr(!flag.getValue());
  if (auto number = dyn_cast<IntegerAttr>(attribute))
    return builder.getIntegerAttr(number.getType(), number.getInt() + 1);
  return {};
}

class RecomputeEdits : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    ModelConfig config;
    config.numLayers = 3, config.hiddenSize = 8, config.numAttentionHeads = 2, config.ffnHiddenSize = 8;
    config.vocabSize = 8, config.seqLength = 8, config.microBatchSize = 2;
    config.attentionDropout = config.hiddenDropout = config.embeddingDropout = 0.25;
    config.attentionBackend = AttentionBackend::Unfused;
    llvm::Error error = resolve(config);
    ASSERT_FALSE(error) << llvm::toString(std::move(error));
    model.emplace(context, buildModel(context, config));
    ASSERT_TRUE(model->isValid());
    function = model->getFunction("microbatch");
    RematPolicyOptions policy;
    policy.granularity = GetParam() == StringRef("full") ? "full" : "selective";
    if (*policy.granularity == "selective")
      policy.modules = GetParam();
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
    ASSERT_TRUE(succeeded(rematerialize(function, policy)));
    for (auto op : function.getOps<ScopedOpInterface>())
      if (op.getScope().getSegment() == Segment::Recompute)
        recomputations.push_back(op);
    ASSERT_FALSE(recomputations.empty());
    ASSERT_EQ(refusal(), "") << "nothing is edited yet";
  }

  /// What tx-verify-joint says; empty if it says nothing.
  std::string refusal() {
    std::string text;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      text += diagnostic.str();
      return success();
    });
    PassManager passes(&context);
    passes.enableVerifier(false);
    passes.addPass(createTxVerifyJointPass());
    return succeeded(passes.run(model->getModule())) ? "" : text;
  }

  /// The op as it is now is no recomputation.
  void expectRefused(Operation *op, const std::string &before) {
    {
      ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
      if (failed(mlir::verify(op)))
        return; // no program at all
    }
    ++edits;
    std::string text = refusal();
    EXPECT_NE(text.find(op->getName().getStringRef().str()), std::string::npos)
        << before << "\n  became\n"
        << textOf(op) << "\n  and " << (text.empty() ? "passed" : "was refused by: " + text);
  }

  void editAttributes(Operation *op) {
    std::string before = textOf(op);
    auto own = cast<DictionaryAttr>(op->getPropertiesAsAttribute());
    for (StringAttr name : op->getRegisteredInfo()->getAttributeNames()) {
      if (name == "scope" || name == "operandSegmentSizes")
        continue;
      Attribute value = own.get(name);
      if (!value) // a mark that may be there
        op->setInherentAttr(name, UnitAttr::get(&context));
      else if (isa<UnitAttr>(value))
        op->setInherentAttr(name, Attribute());
      else if (Attribute other = changed(value))
        op->setInherentAttr(name, other);
      if (op->getPropertiesAsAttribute() != own)
        expectRefused(op, before);
      op->setInherentAttr(name, value);
    }
    op->setDiscardableAttr("user.mark", UnitAttr::get(&context));
    expectRefused(op, before);
    op->removeDiscardableAttr("user.mark");
  }

  void editPlace(Operation *op) {
    std::string before = textOf(op);
    ScopeAttr scope = scopeOf(op);
    auto at = [&](int layer, StringRef path) {
      cast<ScopedOpInterface>(op).setScopeAttr(ScopeAttr::get(&context, scope.getSegment(), layer, path));
      expectRefused(op, before);
    };
    at(scope.getLayer() ? scope.getLayer() - 1 : 1, scope.getPath());
    at(-1, scope.getPath());
    at(scope.getLayer(), scope.getPath().str() + ".again");
    cast<ScopedOpInterface>(op).setScopeAttr(scope);
  }

  void editOperands(Operation *op) {
    std::string before = textOf(op);
    for (OpOperand &operand : op->getOpOperands()) {
      Value own = operand.get();
      for (Value other : others(op, own)) {
        operand.set(other);
        expectRefused(op, before);
        operand.set(own);
      }
    }
  }

  /// Values of the same type that are there at the op: a few before it.
  SmallVector<Value> others(Operation *op, Value own) {
    constexpr size_t kMost = 6;
    SmallVector<Value> found;
    std::string identity = identityOf(own);
    auto take = [&](Value value) {
      if (value.getType() == own.getType() && value != own && found.size() < kMost &&
          (identity.empty() || identityOf(value) != identity))
        found.push_back(value);
    };
    for (Operation *before = op->getPrevNode(); before; before = before->getPrevNode())
      for (Value result : before->getResults())
        take(result);
    for (Value argument : function.getArguments())
      take(argument);
    return found;
  }

  MLIRContext context;
  std::optional<JointModel> model;
  func::FuncOp function;
  std::vector<Operation *> recomputations;
  unsigned edits = 0;
};

TEST_P(RecomputeEdits, AreRefused) {
  for (Operation *op : recomputations) {
    editAttributes(op);
    editPlace(op);
    editOperands(op);
    if (HasFailure())
      break;
  }
  EXPECT_EQ(refusal(), "") << "every edit was taken back";
  EXPECT_GE(edits, recomputations.size() * 6) << "most edits make a valid program";
}

TEST_P(RecomputeEdits, ASecondOneIsRefused) {
  for (Operation *op : recomputations) {
    Operation *second = OpBuilder(op->getNextNode()).clone(*op);
    expectRefused(second, textOf(op));
    second->erase();
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, RecomputeEdits, testing::Values("full", "core_attn,layernorm", "mlp,mlp_act"),
                         [](const auto &info) {
                           std::string name = info.param;
                           for (char &c : name)
                             c = c == ',' ? '_' : c;
                           return name;
                         });

} // namespace
