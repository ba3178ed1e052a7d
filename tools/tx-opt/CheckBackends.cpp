//===- CheckBackends.cpp - Who runs the functions of a test -------------------------------------------------------===//

#include "CheckBackends.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Frontend/CompileOptions.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Pipeline/Register.h"
#include "tx/Target/Artifact.h"
#include "tx/Target/HostKernels.h"

#include "txrt/runtime.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"

#include <cstring>

using namespace mlir;
using namespace tx;

FailureOr<CheckRun> tx::runOnReference(ArrayRef<CheckFunction> functions) {
  CheckRun run{"the reference", {}};
  for (const CheckFunction &check : functions) {
    State state;
    FailureOr<SmallVector<Tensor>> results = interpret(check.function, check.inputs, state);
    if (failed(results))
      return failure();
    run.results.push_back(std::move(*results));
  }
  return run;
}

namespace {

/// A copy of the functions in an MLIRContext of its own: the code generator loads dialects, which a pass must not do in
/// the context that it runs in. Diagnostics are passed on with their locations in the test's file.
class HostProgram {
public:
  explicit HostProgram(func::FuncOp first) : caller(first.getContext()), fallback(first.getLoc()) {
    DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
        return;
      Location place = fallback;
      if (auto known = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>())
        place = FileLineColLoc::get(caller, known.getFilename().getValue(), known.getLine(), known.getColumn());
      emitError(place) << diagnostic.str();
    });
  }

  LogicalResult lower(ArrayRef<CheckFunction> functions) {
    OwningOpRef<ModuleOp> own = ModuleOp::create(fallback);
    for (const CheckFunction &check : functions)
      if (check.runsOnHost)
        own->push_back(check.function->clone());
    std::string text;
    llvm::raw_string_ostream os(text);
    own->print(os, OpPrintingFlags().enableDebugInfo());
    module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return failure();
    PassManager manager(&context);
    if (llvm::Error error = addStages(getStages().drop_front(findStage("fusion")), CompileOptions(), manager))
      return emitError(fallback) << llvm::toString(std::move(error));
    if (failed(manager.run(*module)))
      return failure();
    program = *module->getOps<step::ProgramOp>().begin();
    return success();
  }

  /// Compiles for one level of CPU (such as x86-64-v3) and returns the artifact's bytes.
  FailureOr<SmallVector<char, 0>> compile(StringRef cpu) {
    HostTargetOptions options;
    options.cpu = cpu;
    FailureOr<HostKernels> kernels = compileHostKernels(program, options);
    if (failed(kernels))
      return failure();
    return serializeArtifact(program, packHostKernels(std::move(*kernels)), {});
  }

  step::EntryOp getEntry(StringRef name) {
    for (auto entry : program.getOps<step::EntryOp>())
      if (entry.getSymName() == name)
        return entry;
    return nullptr;
  }

private:
  MLIRContext *caller;
  Location fallback;
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  step::ProgramOp program;
};

//===--------------------------------------------------------------------------------------------------------------===//
// Tensors in the arena
//===--------------------------------------------------------------------------------------------------------------===//

int64_t getElementBytes(Type element) { return std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8); }

uint64_t toBits(Type element, double value) {
  if (auto type = dyn_cast<FloatType>(element)) {
    llvm::APFloat number(value);
    bool losesInfo;
    number.convert(type.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    return number.bitcastToAPInt().getZExtValue();
  }
  return static_cast<uint64_t>(static_cast<int64_t>(value));
}

double fromBits(Type element, uint64_t bits) {
  if (auto type = dyn_cast<FloatType>(element)) {
    llvm::APFloat number(type.getFloatSemantics(), llvm::APInt(type.getWidth(), bits));
    bool losesInfo;
    number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
    return number.convertToDouble();
  }
  return element.isInteger(1) ? static_cast<double>(bits != 0) : static_cast<double>(static_cast<int32_t>(bits));
}

/// A session of the runtime. A call that fails emits the runtime's message.
class Session {
public:
  ~Session() {
    if (session)
      txrt_session_destroy(session);
    if (artifact)
      txrt_artifact_close(artifact);
  }

  bool open(ArrayRef<char> bytes) {
    return !txrt_artifact_open_memory(bytes.data(), bytes.size(), "checks", &artifact, &error) &&
           !txrt_session_create(artifact, nullptr, &session, &error);
  }

  bool run(StringRef entry) {
    return !txrt_session_run(session, txrt_session_find_entry(session, entry.str().c_str()), &error);
  }

  bool write(step::BufferAttr buffer, const Tensor &tensor) {
    std::vector<char> bytes(buffer.getExtent());
    forElements(buffer, tensor, [&](const double &value, int64_t at, Type element, int64_t size) {
      uint64_t bits = toBits(element, value);
      std::memcpy(&bytes[at], &bits, size);
    });
    return !txrt_session_write(session, getSegment(buffer), buffer.getOffset(), bytes.size(), bytes.data(), &error);
  }

  bool read(step::BufferAttr buffer, Tensor &tensor) {
    std::vector<char> bytes(buffer.getExtent());
    if (txrt_session_read(session, getSegment(buffer), buffer.getOffset(), bytes.size(), bytes.data(), &error))
      return false;
    tensor = Tensor::zeros(buffer.getType().getShape());
    forElements(buffer, tensor, [&](double &value, int64_t at, Type element, int64_t size) {
      uint64_t bits = 0;
      std::memcpy(&bits, &bytes[at], size);
      value = fromBits(element, bits);
    });
    return true;
  }

  StringRef getMessage() const { return error.message; }

private:
  static txrt_segment getSegment(step::BufferAttr buffer) { return static_cast<txrt_segment>(buffer.getSegment()); }

  /// Calls `use` with each element of the tensor and the address of its bytes.
  template <typename TensorT, typename Use> static void forElements(step::BufferAttr buffer, TensorT &tensor, Use use) {
    Type element = buffer.getType().getElementType();
    int64_t size = getElementBytes(element), columns = getColumns(buffer.getType()), stride = buffer.getRowStride();
    for (size_t i = 0; i < tensor.values.size(); ++i)
      use(tensor.values[i], (i / columns * stride + i % columns) * size, element, size);
  }

  txrt_artifact *artifact = nullptr;
  txrt_session *session = nullptr;
  txrt_error error = {};
};

LogicalResult runFunction(const CheckFunction &check, step::EntryOp entry, Session &session,
                          SmallVectorImpl<Tensor> &results) {
  auto buffersOf = [](ArrayAttr list) { return list.getAsRange<step::BufferAttr>(); };
  bool isDone = true;
  for (auto [buffer, tensor] : llvm::zip_equal(buffersOf(entry.getArgumentBuffers()), check.inputs))
    isDone = isDone && session.write(buffer, tensor);
  isDone = isDone && session.run(entry.getSymName());
  for (step::BufferAttr buffer : buffersOf(entry.getResultBuffers()))
    isDone = isDone && session.read(buffer, results.emplace_back());
  func::FuncOp source = check.source;
  if (!isDone)
    return source.emitError("@") << source.getName() << ": " << session.getMessage();
  return success();
}

} // namespace

FailureOr<std::vector<CheckRun>> tx::runOnHost(ArrayRef<CheckFunction> functions) {
  func::FuncOp first = functions.front().source;
  std::vector<std::string> levels = hostLevels();
  if (levels.empty())
    return first.emitError("the host's code needs a CPU with AVX2 and FMA, which this machine does not have");
  HostProgram program(first);
  if (failed(program.lower(functions)))
    return failure();
  std::vector<CheckRun> runs;
  for (const std::string &level : levels) {
    FailureOr<SmallVector<char, 0>> artifact = program.compile(level);
    if (failed(artifact))
      return failure();
    Session session;
    if (!session.open(*artifact))
      return first.emitError("on the host: ") << session.getMessage();
    CheckRun &run = runs.emplace_back(CheckRun{level == "host" ? level : "host (" + level + ")", {}});
    for (const CheckFunction &check : functions) {
      run.results.emplace_back();
      func::FuncOp function = check.function;
      if (check.runsOnHost &&
          failed(runFunction(check, program.getEntry(function.getName()), session, run.results.back())))
        return failure();
    }
  }
  return runs;
}
