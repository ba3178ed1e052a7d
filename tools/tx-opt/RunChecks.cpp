//===- RunChecks.cpp - Compares what functions compute with what they expect --------------------------------------===//

#include "RunChecks.h"

#include "CheckBackends.h"
#include "CheckFunction.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace tx;

namespace {

/// The elements of one comparison that differ from what they should be.
struct Mismatch {
  int64_t count = 0, elements = 0;
  int64_t at = -1;             // index of the element to report: the first or the worst one
  std::string found, expected; // the values at this element
  std::string places;          // the places (CheckRun::place) with this same mismatch

  bool isSameAs(const Mismatch &other) const {
    return std::tie(count, at, found, expected) == std::tie(other.count, other.at, other.found, other.expected);
  }
};

} // namespace

static Type getElementType(check::CompareOpInterface op) {
  return cast<RankedTensorType>(op.getFound().getType()).getElementType();
}

/// `[1, 0, 3]`
static std::string showIndex(ArrayRef<int64_t> shape, int64_t at) {
  std::string text = "]";
  for (int64_t size : llvm::reverse(shape)) {
    text = std::to_string(at % size) + (text == "]" ? "" : ", ") + text;
    at /= size;
  }
  return "[" + text;
}

/// Writes a value with all digits that its type has; `withBits` adds the bits, for floats that must be equal.
static std::string showValue(Type element, double value, bool withBits) {
  std::string text;
  llvm::raw_string_ostream os(text);
  auto type = dyn_cast<FloatType>(element);
  if (!type) {
    os << static_cast<int64_t>(value);
    return text;
  }
  os << llvm::format("%.*g", type.isF64() ? 17 : 9, value);
  if (withBits) {
    llvm::APFloat number(value);
    bool losesInfo;
    number.convert(type.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    os << llvm::format(" (0x%0*llX)", type.getWidth() / 4,
                       static_cast<unsigned long long>(number.bitcastToAPInt().getZExtValue()));
  }
  return text;
}

static Mismatch compare(const Comparison &comparison, ArrayRef<Tensor> results, StringRef place) {
  check::CompareOpInterface op = comparison.op;
  Type element = getElementType(op);
  const Tensor &found = results[comparison.found];
  const Tensor &expected = comparison.other ? results[*comparison.other] : comparison.written;
  Mismatch mismatch;
  mismatch.places = place.str();
  mismatch.elements = static_cast<int64_t>(found.values.size());
  double worst = -1;
  for (int64_t i = 0; i < mismatch.elements; ++i) {
    double is = check::roundTo(element, found.values[i]), shall = check::roundTo(element, expected.values[i]);
    if (op.agrees(is, shall))
      continue;
    ++mismatch.count;
    if (double distance = op.getDistance(is, shall); distance > worst) {
      bool withBits = op.getTolerance().empty();
      worst = distance;
      mismatch.at = i;
      mismatch.found = showValue(element, is, withBits);
      mismatch.expected = showValue(element, shall, withBits);
    }
  }
  return mismatch;
}

static void report(check::CompareOpInterface op, const Mismatch &mismatch) {
  std::string tolerance = op.getTolerance();
  InFlightDiagnostic error = op->emitOpError("on ") << mismatch.places << ": ";
  error << mismatch.count << " of " << mismatch.elements << " elements differ, the "
        << (tolerance.empty() ? "first" : "worst") << " at "
        << showIndex(cast<RankedTensorType>(op.getFound().getType()).getShape(), mismatch.at) << ": expected "
        << mismatch.expected << ", found " << mismatch.found;
  if (!tolerance.empty())
    error << "; allowed is " << tolerance;
}

namespace {

struct RunChecks : PassWrapper<RunChecks, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(RunChecks)

  StringRef getArgument() const override { return "tx-run-checks"; }
  StringRef getDescription() const override {
    return "run the functions of a test on the reference and on the host, compare, and remove what passed";
  }

  void runOnOperation() override {
    // The new functions go into a module of their own: if something fails, the test's module stays as it is.
    OwningOpRef<ModuleOp> work = ModuleOp::create(getOperation().getLoc());
    OpBuilder builder = OpBuilder::atBlockEnd(work->getBody());
    std::vector<CheckFunction> functions;
    bool isFine = true;
    for (auto source : getOperation().getOps<func::FuncOp>()) {
      if (source.isExternal())
        continue;
      FailureOr<CheckFunction> check = takeApart(source, builder);
      if (succeeded(check))
        functions.push_back(std::move(*check));
      else
        isFine = false;
    }
    if (!isFine || failed(verifyThereAreChecks(functions)) || failed(runAll(functions)))
      return signalPassFailure();
    for (const CheckFunction &check : functions)
      check.source->erase();
  }

private:
  /// An error if the file checks nothing, or nothing that the host runs: such a test could never fail.
  LogicalResult verifyThereAreChecks(ArrayRef<CheckFunction> functions) {
    if (functions.empty())
      return getOperation().emitError("has no function to check: it is a test that cannot fail");
    if (llvm::none_of(functions, [](const CheckFunction &check) { return check.runsOnHost; }))
      return getOperation().emitError("has no function that the host can run: each has f64, which is the reference's "
                                      "alone; add one with f32");
    return success();
  }

  static LogicalResult runAll(ArrayRef<CheckFunction> functions) {
    FailureOr<CheckRun> reference = runOnReference(functions);
    FailureOr<std::vector<CheckRun>> host = runOnHost(functions);
    if (failed(reference) || failed(host))
      return failure();
    std::vector<CheckRun> runs = std::move(*host);
    runs.insert(runs.begin(), std::move(*reference));
    int64_t done = 0;
    bool isFine = true;
    for (auto [number, check] : llvm::enumerate(functions))
      for (const Comparison &comparison : check.comparisons) {
        std::vector<Mismatch> mismatches;
        for (const CheckRun &run : runs) {
          if (run.results[number].empty())
            continue;
          ++done;
          Mismatch mismatch = compare(comparison, run.results[number], run.place);
          if (!mismatch.count)
            continue;
          auto known = llvm::find_if(mismatches, [&](const Mismatch &other) { return other.isSameAs(mismatch); });
          if (known == mismatches.end())
            mismatches.push_back(std::move(mismatch));
          else
            known->places += ", " + run.place;
        }
        for (const Mismatch &mismatch : mismatches)
          report(comparison.op, mismatch);
        isFine &= mismatches.empty();
      }
    if (!isFine)
      return failure();
    llvm::errs() << done << " comparisons hold on";
    for (const CheckRun &run : runs)
      llvm::errs() << (&run == &runs.front() ? " " : ", ") << run.place;
    llvm::errs() << '\n';
    return success();
  }
};

} // namespace

void tx::registerRunChecksPass() { PassRegistration<RunChecks>(); }
