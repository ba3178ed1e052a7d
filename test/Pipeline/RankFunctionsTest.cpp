//===- RankFunctionsTest.cpp - Plain functions with collectives ---------------------------------------------------===//
//
// A function is compiled for the host and runs on several ranks, threads here with a world over socket pairs; every
// rank's result is compared with that of the reference, which runs the ranks in lockstep.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Ranks.h"

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Frontend/CompileOptions.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Reference/Interpreter.h"
#include "txrt/runtime.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <random>
#include <unistd.h>

using namespace mlir;
using namespace tx;

namespace {

using Lists = std::vector<SmallVector<Tensor>>; // a list for each rank

//===--------------------------------------------------------------------------------------------------------------===//
// One rank's session
//===--------------------------------------------------------------------------------------------------------------===//

bool isNarrow(const llvm::json::Object &buffer) { return buffer.getString("dtype") == "bf16"; }

/// Numbers that the type holds, as its bytes, and back.
std::vector<char> encode(const Tensor &tensor, bool narrow) {
  const size_t size = narrow ? 2 : 4;
  std::vector<char> bytes(tensor.values.size() * size);
  for (size_t i = 0; i < tensor.values.size(); ++i) {
    auto value = static_cast<float>(tensor.values[i]);
    uint32_t bits;
    memcpy(&bits, &value, 4);
    bits >>= narrow ? 16 : 0;
    memcpy(&bytes[i * size], &bits, size);
  }
  return bytes;
}
std::vector<double> decode(const std::vector<char> &bytes, bool narrow) {
  const size_t size = narrow ? 2 : 4;
  std::vector<double> values;
  for (size_t at = 0; at < bytes.size(); at += size) {
    uint32_t bits = 0;
    memcpy(&bits, &bytes[at], size);
    bits <<= narrow ? 16 : 0;
    float value;
    memcpy(&value, &bits, 4);
    values.push_back(value);
  }
  return values;
}

class Session {
public:
  Session(const txrt_artifact *artifact, txrt_world &world)
      : manifest(*llvm::cantFail(llvm::json::parse(txrt_artifact_manifest(artifact))).getAsObject()) {
    txrt_options options{};
    options.world = &world;
    options.threads = 1;
    check(txrt_session_create(artifact, &options, &session, &error));
  }
  ~Session() { txrt_session_destroy(session); }

  std::vector<double> run(ArrayRef<Tensor> arguments) {
    const llvm::json::Object &entry = *(*manifest.getArray("entries"))[0].getAsObject();
    for (auto [value, tensor] : llvm::zip_equal(*entry.getArray("arguments"), arguments)) {
      std::vector<char> bytes = encode(tensor, isNarrow(*value.getAsObject()));
      auto [segment, offset] = placeOf(*value.getAsObject());
      check(txrt_session_write(session, segment, offset, bytes.size(), bytes.data(), &error));
    }
    check(txrt_session_run(session, 0, &error));
    const llvm::json::Object &result = *(*entry.getArray("results"))[0].getAsObject();
    std::vector<char> bytes(*result.getInteger("bytes"));
    auto [segment, offset] = placeOf(result);
    check(txrt_session_read(session, segment, offset, bytes.size(), bytes.data(), &error));
    return decode(bytes, isNarrow(result));
  }

private:
  void check(txrt_status status) {
    if (status)
      txrt::fail(status, "%s", error.message);
  }
  static std::pair<txrt_segment, uint64_t> placeOf(const llvm::json::Object &buffer) {
    StringRef segment = *buffer.getString("segment");
    return {segment == "argument"     ? TXRT_SEGMENT_ARGUMENT
            : segment == "persistent" ? TXRT_SEGMENT_PERSISTENT
                                      : TXRT_SEGMENT_TRANSIENT,
            static_cast<uint64_t>(*buffer.getInteger("offset"))};
  }

  llvm::json::Object manifest;
  txrt_session *session = nullptr;
  txrt_error error = {};
};

//===--------------------------------------------------------------------------------------------------------------===//
// Both ways
//===--------------------------------------------------------------------------------------------------------------===//

class RankFunctions : public testing::Test {
protected:
  RankFunctions() { context.loadDialect<TxDialect, func::FuncDialect>(); }
  ~RankFunctions() override {
    if (artifact)
      txrt_artifact_close(artifact);
  }

  /// The function @f of a module with mesh axes, which is all that it holds.
  void compile(const std::string &source, int ranks) {
    module = parseSourceString<ModuleOp>(source, &context);
    ASSERT_TRUE(module);
    count = ranks;
    std::string path = testing::TempDir() + "rank-function-" + std::to_string(getpid()) + ".mlir";
    std::error_code written;
    llvm::raw_fd_ostream(path, written) << source;
    auto options = parseCommandLine({path});
    ASSERT_TRUE(bool(options)) << llvm::toString(options.takeError());
    auto compiled = compileToMemory(*options);
    ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
    txrt_error error;
    ASSERT_EQ(
        txrt_artifact_open_memory(compiled->artifact.data(), compiled->artifact.size(), "step", &artifact, &error),
        TXRT_OK)
        << error.message;
  }

  /// Small whole numbers, of which every type here holds the sums too.
  Lists wholeNumbers() {
    return fill([](std::mt19937 &random) { return int(random() % 17) - 8; });
  }
  Lists randomNumbers() {
    return fill([normal = std::normal_distribution<float>()](std::mt19937 &random) mutable { return normal(random); });
  }

  /// Each rank's result, by the host and by the reference.
  void runBoth(const Lists &arguments, std::vector<std::vector<double>> &host, Lists &reference) {
    host.resize(count);
    auto errors = runRanks(count, [&](txrt_world &world) {
      int rank = txrt_world_rank(&world);
      host[rank] = Session(artifact, world).run(arguments[rank]);
    });
    for (const std::string &error : errors)
      ASSERT_EQ(error, "");
    std::vector<State> states(count);
    auto results = interpretRanks(module->lookupSymbol<func::FuncOp>("f"), arguments, states);
    ASSERT_TRUE(succeeded(results));
    reference = *results;
  }

private:
  template <typename Draw> Lists fill(Draw draw) {
    std::mt19937 random(3);
    Lists lists(count);
    for (SmallVector<Tensor> &list : lists)
      for (Type type : module->lookupSymbol<func::FuncOp>("f").getArgumentTypes()) {
        list.push_back(Tensor::zeros(cast<RankedTensorType>(type).getShape()));
        for (double &value : list.back().values)
          value = draw(random);
      }
    return lists;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  txrt_artifact *artifact = nullptr;
  int count = 1;
};

//===--------------------------------------------------------------------------------------------------------------===//
// Each collective, to the bit
//===--------------------------------------------------------------------------------------------------------------===//

struct Case {
  const char *name, *op, *operand, *result;
};
void PrintTo(const Case &c, std::ostream *os) { *os << c.name; }

const Case kCases[] = {
    {"AllReduce", "all_reduce %x on @tp", "3x4", "3x4"},
    {"AllReduceOfScalars", "all_reduce %x on @dp", "1", "1"},
    {"AllGather", "all_gather %x dim 1 on @tp", "3x2x5", "3x4x5"},
    {"AllGatherOnSlowAxis", "all_gather %x dim 0 on @dp", "3x5", "6x5"},
    {"ReduceScatter", "reduce_scatter %x dim 1 on @dp", "3x4x5", "3x2x5"},
    {"AllToAll", "all_to_all %x dim 1 on @tp", "3x4x5", "3x4x5"},
    {"Broadcast", "broadcast %x from 1 on @dp", "3x4", "3x4"},
    {"Reduce", "reduce %x to 1 on @tp", "3x4", "3x4"},
    {"Send", "send_recv %x by 1 on @tp", "3x4", "3x4"},
    {"SendAround", "send_recv %x by -1 wraps on @dp", "3x4", "3x4"},
};

class EachCollective : public RankFunctions, public testing::WithParamInterface<std::tuple<Case, const char *>> {};

TEST_P(EachCollective, OnAMeshOfFour) {
  const auto &[c, element] = GetParam();
  bool changes = StringRef(c.op).contains("gather") || StringRef(c.op).contains("scatter");
  auto type = [&, element = element](const char *shape) {
    return std::string("tensor<") + shape + "x" + element + ">";
  };
  ASSERT_NO_FATAL_FAILURE(
      compile("tx.mesh_axis @dp size 2\ntx.mesh_axis @tp size 2\nfunc.func @f(%x: " + type(c.operand) + ") -> " +
                  type(c.result) + " {\n%y = tx." + c.op + " in <\"a\"> : " + type(c.operand) +
                  (changes ? " -> " + type(c.result) : "") + "\nreturn %y : " + type(c.result) + "\n}",
              4));
  std::vector<std::vector<double>> host;
  Lists reference;
  ASSERT_NO_FATAL_FAILURE(runBoth(wholeNumbers(), host, reference));
  for (size_t rank = 0; rank < host.size(); ++rank)
    EXPECT_EQ(host[rank], reference[rank][0].values) << "rank " << rank;
}

INSTANTIATE_TEST_SUITE_P(Cases, EachCollective,
                         testing::Combine(testing::ValuesIn(kCases), testing::Values("f32", "bf16")),
                         [](const auto &info) {
                           return std::get<0>(info.param).name + std::string("_") + std::get<1>(info.param);
                         });

//===--------------------------------------------------------------------------------------------------------------===//
// A pair of linears
//===--------------------------------------------------------------------------------------------------------------===//

/// Megatron's: columns of the first, rows of the second on each rank; the sequence is split before and after.
class ParallelLinears : public RankFunctions, public testing::WithParamInterface<int> {};

TEST_P(ParallelLinears, AgreeWithTheReference) {
  const int ranks = GetParam(), width = 32 / ranks;
  std::string whole = std::to_string(6 * ranks), part = std::to_string(width);
  ASSERT_NO_FATAL_FAILURE(
      compile("tx.mesh_axis @tp size " + std::to_string(ranks) + R"(
    func.func @f(%x: tensor<2x6x16xf32>, %v: tensor<16x)" +
                  part + "xf32>, %w: tensor<" + part + R"(x16xf32>)
        -> tensor<2x6x16xf32> {
      %a = tx.all_gather %x dim 1 on @tp in <layer 0, "mlp.fc1"> : tensor<2x6x16xf32> -> tensor<2x)" +
                  whole + R"(x16xf32>
      %b = tx.linear %a, %v in <layer 0, "mlp.fc1"> : tensor<2x)" +
                  whole + "x16xf32>, tensor<16x" + part + "xf32> -> tensor<2x" + whole + "x" + part + R"(xf32>
      %c = tx.gelu %b in <layer 0, "mlp.mlp_act"> : tensor<2x)" +
                  whole + "x" + part + R"(xf32>
      %d = tx.linear %c, %w in <layer 0, "mlp.fc2"> : tensor<2x)" +
                  whole + "x" + part + "xf32>, tensor<" + part + "x16xf32> -> tensor<2x" + whole + R"(x16xf32>
      %y = tx.reduce_scatter %d dim 1 on @tp in <layer 0, "mlp.fc2"> : tensor<2x)" +
                  whole + R"(x16xf32> -> tensor<2x6x16xf32>
      %z = tx.add %x, %y in <layer 0, "residual"> : tensor<2x6x16xf32>
      return %z : tensor<2x6x16xf32>
    })",
              ranks));
  std::vector<std::vector<double>> host;
  Lists reference;
  ASSERT_NO_FATAL_FAILURE(runBoth(randomNumbers(), host, reference));
  for (size_t rank = 0; rank < host.size(); ++rank)
    for (size_t i = 0; i < host[rank].size(); ++i) {
      double expected = reference[rank][0].values[i];
      ASSERT_NEAR(host[rank][i], expected, 1e-5 * (1 + std::abs(expected))) << "rank " << rank << ", element " << i;
    }
}

INSTANTIATE_TEST_SUITE_P(Ranks, ParallelLinears, testing::Values(1, 2, 4));

} // namespace
