//===- HostMutantsTest.cpp - Which check kills which bug on the host ----------------------------------------------===//
//
// The checks are what the property test, the placement's verifier and the recorded models hold a step to. Each mutant
// goes all the way to running code (or as far as somebody stops it), and the check that it was made for must be among
// its killers. test/Numerics/README.md lists the bugs.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "HostMutations.h"
#include "ReferenceModel.h"

#include "tx/Autodiff/Passes.h"
#include "tx/Memory/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"

#include "gtest/gtest.h"

#include <cstdio>
#include <optional>

using namespace mlir;
using namespace txtest;

namespace {

const Flags modelFlags = {"--attention-backend",
                          "unfused", // mutants of its parts
                          "--num-layers",
                          "2",
                          "--hidden-size",
                          "32",
                          "--num-attention-heads",
                          "2",
                          "--ffn-hidden-size",
                          "48",
                          "--seq-length",
                          "16",
                          "--micro-batch-size",
                          "2",
                          "--vocab-size",
                          "40",
                          "--attention-dropout",
                          "0.2",
                          "--hidden-dropout",
                          "0.2",
                          "--fp32"};
const Flags noneFlags = {"--recompute-granularity", "none"};
const Flags fullFlags = {"--recompute-granularity", "full", "--recompute-method", "uniform",
                         "--recompute-num-layers",  "1"};
const Flags selectiveFlags = {"--recompute-granularity", "selective", "--recompute-modules", "core_attn,mlp,layernorm"};

Step compileUnder(const Flags &policy, const tx::CompileHooks &hooks = {}) {
  Flags flags = modelFlags;
  flags.insert(flags.end(), policy.begin(), policy.end());
  return compileStep(flags, hooks);
}

template <typename CreatePass> bool passFails(ModuleOp module, CreatePass createPass) {
  ScopedDiagnosticHandler quiet(module.getContext(), [](Diagnostic &) { return success(); });
  PassManager passes(module.getContext());
  passes.addPass(createPass());
  return failed(passes.run(module));
}

/// How many mutants each check has killed.
class Tally {
public:
  explicit Tally(std::string name) : name(std::move(name)) {}

  void add(const std::vector<std::string> &killers, const std::string &which) {
    EXPECT_FALSE(killers.empty()) << "mutant " << name << " of " << which << " survives";
    ++mutants;
    for (const std::string &killer : killers)
      ++kills[killer];
  }

  /// `killer` has to have found all of them.
  void close(const char *killer) {
    ASSERT_GT(mutants, 0) << "there is no place for " << name;
    printf("check: mutant %s killed by", name.c_str());
    for (const auto &[check, count] : kills)
      printf(" %s (%d of %d)", check.c_str(), count, mutants);
    printf("\n");
    EXPECT_EQ(kills[killer], mutants) << killer << " should have found all";
  }

private:
  std::string name;
  std::map<std::string, int> kills;
  int mutants = 0;
};

class HostMutants : public testing::Test {
protected:
  static void SetUpTestSuite() {
    none = compileUnder(noneFlags);
    ASSERT_EQ(none.error, "");
    expected = runStep(none);
    ASSERT_EQ(expected.error, "");
    reference.emplace(modelFlags);
  }
  static void TearDownTestSuite() { reference.reset(); }

  /// The names of the checks that fail.
  static std::vector<std::string> findKillers(const Step &step, const RunOptions &options = {}) {
    if (!step.error.empty())
      return {"compiler"};
    std::vector<std::string> killers;
    if (!findLaunchFault(step, none).empty())
      killers.push_back("launches");
    if (!findSavedFault(step).empty())
      killers.push_back("saved-bytes");
    if (step.number("peak_bytes") >= none.number("peak_bytes"))
      killers.push_back("arena");
    for (std::string &killer : findRunKillers(runStep(step, options)))
      killers.push_back(std::move(killer));
    return killers;
  }
  static std::vector<std::string> findRunKillers(const RunResult &run) {
    if (!run.error.empty())
      return {"runtime"};
    std::vector<std::string> killers;
    if (!firstDifference(expected, run).empty())
      killers.push_back("bits");
    if (!reference->firstDifference(run).empty())
      killers.push_back("reference");
    return killers;
  }

  static inline Step none;
  static inline RunResult expected;
  static inline std::optional<ReferenceModel> reference;
};

const std::pair<const char *, const Flags *> policies[] = {{"full", &fullFlags}, {"selective", &selectiveFlags}};

TEST_F(HostMutants, UnmutatedPassesAllChecks) {
  EXPECT_EQ(reference->firstDifference(expected), "");
  for (auto [name, flags] : policies) {
    Step step = compileUnder(*flags);
    EXPECT_EQ(findKillers(step), std::vector<std::string>()) << name;
    EXPECT_EQ(findLaunchFault(step, none), "") << name;
    EXPECT_EQ(findSavedFault(step), "") << name;
  }
}

TEST_F(HostMutants, OfTheProgram) {
  for (const ProgramMutation &mutation : getProgramMutations()) {
    Tally tally(mutation.name);
    for (auto [name, flags] : policies) {
      bool applies = false, isFound = false;
      tx::CompileHooks hooks;
      hooks.afterRemat = [&](ModuleOp module) {
        applies = mutation.apply(module);
        isFound = applies && passFails(module, [] { return tx::createTxVerifyJointPass(); });
      };
      Step step = compileUnder(*flags, hooks);
      if (!applies)
        continue;
      std::vector<std::string> killers = findKillers(step);
      if (isFound)
        killers.push_back("tx-verify-joint");
      tally.add(killers, name);
    }
    tally.close(mutation.killer);
  }
}

TEST_F(HostMutants, OfThePlacement) {
  for (const PlacementMutation &mutation : getPlacementMutations()) {
    Tally verified(mutation.name);
    Tally unverified(std::string(mutation.name) + " behind the verifier");
    for (auto [name, flags] : policies) {
      tx::CompileHooks hooks;
      hooks.afterPlacement = [&, name = name](ModuleOp module) {
        for (unsigned variant = 0;; ++variant) {
          OwningOpRef<ModuleOp> mutant = module.clone();
          if (!mutation.apply(*mutant, variant))
            break;
          bool isFound = passFails(*mutant, [] { return tx::createVerifyPlacementPass(); });
          verified.add(isFound ? std::vector<std::string>{"tx-verify-placement"} : std::vector<std::string>(),
                       name + (" " + std::to_string(variant)));
        }
        mutation.apply(module, 0);
      };
      EXPECT_NE(compileUnder(*flags, hooks).error, "") << "the compiler verifies its placement";

      hooks = {};
      hooks.afterVerification = [&](ModuleOp module) { mutation.apply(module, 0); };
      unverified.add(findKillers(compileUnder(*flags, hooks)), name);
    }
    verified.close("tx-verify-placement");
    unverified.close("bits");
  }
}

TEST_F(HostMutants, SavedValueIsRounded) {
  Tally tally("saved-value-rounded-to-bf16");
  for (auto [name, flags] : policies) {
    bool applies = false;
    tx::CompileHooks hooks;
    hooks.afterStep = [&](ModuleOp module) { applies = roundSavedValue(module); };
    Step step = compileUnder(*flags, hooks);
    EXPECT_EQ(step.error, "");
    if (applies)
      tally.add(findKillers(step), name);
  }
  tally.close("bits");
}

// The launches of one artifact, each in turn. What a mutant saves or recomputes is not the point here: these checks run
// the code. A lost launch would be lost under every policy, so that bits alone are not enough for the gradients.
TEST_F(HostMutants, OfTheLaunches) {
  Step step = compileUnder(fullFlags);
  for (const LaunchMutation &mutation : getLaunchMutations())
    for (const std::string &entry : mutation.entries) {
      Tally tally(mutation.name + (" in " + entry));
      size_t count = LaunchTable(step.artifact).launches(entry).size();
      for (size_t index = 0; index < count; ++index) {
        Step mutant;
        mutant.artifact = step.artifact;
        LaunchTable table(mutant.artifact);
        std::string which = std::to_string(index) + " " + table.name(table.launches(entry)[index]);
        if (!mutation.apply(table, entry, index))
          continue;
        table.seal();
        tally.add(findRunKillers(runStep(mutant)), which);
      }
      tally.close(entry == "microbatch" ? "reference" : "bits");
    }
}

// As if each microbatch was alone: what calls the step forgets their number.
TEST_F(HostMutants, ScaleForgetsMicrobatches) {
  Tally tally("scale-forgets-microbatches");
  RunOptions options;
  options.scaleFactor = 2;
  for (auto [name, flags] : policies)
    tally.add(findKillers(compileUnder(*flags), options), name);
  tally.close("reference");
}

} // namespace
