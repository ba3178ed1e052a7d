//===- LibraryTest.cpp - libtxrt_train with compiled steps --------------------------------------------------------===//
//
// Through the shared library alone, as a program does that is none of ours: against tx-run, bit for bit, and against
// itself in two threads.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "txrt/txrt_train.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <sstream>
#include <thread>
#include <vector>

extern "C" const char *tryFromC(void);

namespace {

struct Close {
  void operator()(txrt_train *train) const { txrt_train_close(train); }
};
using Handle = std::unique_ptr<txrt_train, Close>;

const std::string data = std::string(TX_TEST_DATA_DIR) + "/kjv.txt";

std::string read(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Library : public testing::Test {
protected:
  static void SetUpTestSuite() {
    std::string pattern = testing::TempDir() + "/tx-library-XXXXXX";
    folder = ::mkdtemp(&pattern[0]);
    compile("step.txa", "--fp32 --seq-length 24 --recompute-activations --recompute-modules mlp_act,layernorm");
    compile("bf16.txa", "--bf16 --seq-length 16");
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder); }

  static void compile(const std::string &name, const std::string &flags) {
    run("tx-compile --num-layers 2 --hidden-size 32 --num-attention-heads 2 --max-position-embeddings 24 "
        " --micro-batch-size 3 --vocab-size 256 " +
        flags + " -o " + file(name));
  }
  static void run(const std::string &command) {
    ASSERT_EQ(std::system((std::string(TX_TOOLS_DIR) + "/" + command + " > /dev/null").c_str()), 0) << command;
  }
  static std::string file(const std::string &name) { return folder + "/" + name; }

  static std::string folder;
};
std::string Library::folder;

/// A handle whose calls must succeed.
class Training {
public:
  explicit Training(const std::string &artifact, uint64_t globalBatch = 0) {
    txrt_train_options options = {};
    options.global_batch_size = globalBatch;
    options.session.threads = 1;
    txrt_train *made = nullptr;
    ok(txrt_train_open(artifact.c_str(), &options, &made, &error));
    train.reset(made);
    if (made)
      ok(txrt_train_describe(made, &info, &error));
  }
  void initialize() { ok(txrt_train_initialize(train.get(), info.seed, &error)); }
  void openData(bool validates = false) {
    txrt_train_data from = {};
    from.path = data.c_str();
    from.validates = validates;
    ok(txrt_train_open_data(train.get(), &from, &error));
  }
  void setSchedule(const txrt_lr_schedule &schedule) {
    ok(txrt_train_set_schedule(train.get(), &schedule, TXRT_SCHEDULE_SAME, &error));
  }
  txrt_step_result step() {
    txrt_step_result result = {};
    ok(txrt_train_step(train.get(), txrt_train_lr(train.get()), &result, &error));
    return result;
  }
  txrt_tensor find(const char *entry, const char *name) {
    txrt_tensor tensor = {};
    ok(txrt_session_find_tensor(txrt_train_session(train.get()), entry, name, &tensor, &error));
    return tensor;
  }
  std::vector<float> floats(const char *entry, const char *name) {
    const txrt_tensor tensor = find(entry, name);
    std::vector<float> values(tensor.elements);
    ok(txrt_session_read_tensor(txrt_train_session(train.get()), &tensor, TXRT_DTYPE_F32, values.size(), values.data(),
                                &error));
    return values;
  }
  void ok(txrt_status status) { EXPECT_EQ(status, TXRT_OK) << error.message; }
  txrt_train *get() const { return train.get(); }

  txrt_train_info info = {};
  txrt_error error = {};

private:
  Handle train;
};

const txrt_lr_schedule schedule = {1e-2, 0, 0, 6, TXRT_DECAY_LINEAR};

TEST_F(Library, GivesTheBitsOfTxRun) {
  run("tx-run " + file("step.txa") + " --data-path " + data +
      " --train-iters 6 --lr 1e-2 --lr-decay-iters 6 --global-batch-size 6 --save " + file("tool.safetensors") +
      " --save-optim --evaluate --eval-iters 4 --log " + file("log"));
  Training own(file("step.txa"), 6);
  own.initialize();
  own.openData(/*validates=*/true);
  own.setSchedule(schedule);
  std::istringstream lines(read(file("log")));
  int steps = 0, evaluations = 0;
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json event = nlohmann::json::parse(line);
    if (event["event"] == "step") {
      EXPECT_EQ(event["lr"].get<double>(), txrt_train_lr(own.get()));
      const txrt_step_result result = own.step();
      EXPECT_EQ(event["loss"].get<double>(), result.loss);
      EXPECT_EQ(event["grad_norm"].get<float>(), result.grad_norm);
      EXPECT_EQ(event["valid_count"].get<uint64_t>(), result.valid_count);
      ++steps;
    } else if (event["event"] == "evaluation") {
      txrt_evaluation evaluation = {};
      own.ok(txrt_train_evaluate(own.get(), 4, &evaluation, &own.error));
      EXPECT_EQ(event["loss"].get<double>(), evaluation.loss);
      ++evaluations;
    }
  }
  EXPECT_EQ(steps, 6);
  EXPECT_EQ(evaluations, 1);
  own.ok(txrt_train_save(own.get(), file("own.safetensors").c_str(), 0, &own.error));
  EXPECT_EQ(read(file("own.safetensors")), read(file("tool.safetensors")));

  // Each goes on where the other stopped.
  run("tx-run " + file("step.txa") + " --data-path " + data +
      " --train-iters 8 --lr 1e-2 --lr-decay-iters 6 --global-batch-size 6 --load " + file("own.safetensors") +
      " --save " + file("tool.safetensors") + " --save-optim");
  Training again(file("step.txa"), 6);
  again.openData();
  again.ok(txrt_train_load(again.get(), file("own.safetensors").c_str(), 0, &again.error));
  again.setSchedule(schedule);
  again.step();
  again.step();
  again.ok(txrt_train_save(again.get(), file("again.safetensors").c_str(), 0, &again.error));
  EXPECT_EQ(read(file("again.safetensors")), read(file("tool.safetensors")));
}

// Two models at once, in two threads, give what each gives alone.
TEST_F(Library, TwoThreadsTrainTwoModels) {
  auto losses = [](const std::string &artifact) {
    Training own(artifact);
    own.initialize();
    own.openData();
    own.setSchedule(schedule);
    std::vector<double> all;
    for (int i = 0; i < 5; ++i)
      all.push_back(own.step().loss);
    return all;
  };
  const std::string artifacts[] = {file("step.txa"), file("bf16.txa"), file("step.txa")};
  std::vector<double> alone[3], together[3];
  for (int i = 0; i < 3; ++i)
    alone[i] = losses(artifacts[i]);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&, i] { together[i] = losses(artifacts[i]); });
  for (std::thread &thread : threads)
    thread.join();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(alone[i], together[i]);
  EXPECT_NE(alone[0], alone[1]);
}

TEST_F(Library, TensorsAreArrays) {
  Training own(file("step.txa"));
  own.initialize();
  own.openData();
  own.setSchedule(schedule);
  txrt_session *session = txrt_train_session(own.get());
  const char name[] = "transformer.wte.weight";
  const txrt_tensor weight = own.find(nullptr, name);
  EXPECT_STREQ(weight.name, name);
  EXPECT_EQ(weight.dtype, TXRT_DTYPE_F32);
  ASSERT_EQ(weight.rank, 2);
  EXPECT_EQ(weight.shape[0], 256u);
  EXPECT_EQ(weight.shape[1], 32u);
  EXPECT_EQ(weight.elements, 256u * 32);
  std::vector<float> values = own.floats(nullptr, name);
  EXPECT_NE(values[1], 0);

  // What is written is what the step reads: the same weights, the same step.
  Training twin(file("step.txa"));
  twin.initialize();
  twin.openData();
  twin.setSchedule(schedule);
  std::vector<float> zeros(values.size());
  own.ok(txrt_session_write_tensor(session, &weight, TXRT_DTYPE_F32, zeros.size(), zeros.data(), &own.error));
  EXPECT_EQ(own.floats(nullptr, name), zeros);
  own.ok(txrt_session_write_tensor(session, &weight, TXRT_DTYPE_F32, values.size(), values.data(), &own.error));
  EXPECT_EQ(own.step().loss, twin.step().loss);
  EXPECT_EQ(own.floats(nullptr, name), twin.floats(nullptr, name));
  EXPECT_NE(own.floats(nullptr, name), values);

  // An entry's own, and all globals in a row.
  EXPECT_EQ(own.find("step", "tokens").dtype, TXRT_DTYPE_I32);
  const float sum = own.floats("step", "loss_sum").at(0);
  EXPECT_GT(sum, 0);
  int globals = 0;
  txrt_tensor tensor;
  while (txrt_session_global(session, globals, &tensor, nullptr) == TXRT_OK) {
    EXPECT_EQ(own.find(nullptr, tensor.name).elements, tensor.elements);
    ++globals;
  }
  EXPECT_GT(globals, 50);
}

TEST_F(Library, Bf16TensorsAreReadAsF32Too) {
  Training own(file("bf16.txa"));
  own.initialize();
  const char name[] = "transformer.wte.weight";
  const txrt_tensor weight = own.find(nullptr, name);
  ASSERT_EQ(weight.dtype, TXRT_DTYPE_BF16);
  txrt_session *session = txrt_train_session(own.get());
  std::vector<float> wide = own.floats(nullptr, name);
  std::vector<uint16_t> narrow(wide.size());
  own.ok(txrt_session_read_tensor(session, &weight, TXRT_DTYPE_BF16, narrow.size(), narrow.data(), &own.error));
  for (size_t i = 0; i < wide.size(); ++i) {
    uint32_t bits;
    std::memcpy(&bits, &wide[i], 4);
    ASSERT_EQ(bits, uint32_t(narrow[i]) << 16);
  }
  wide.assign(wide.size(), 1 + 0x1p-9f); // rounds to 1
  own.ok(txrt_session_write_tensor(session, &weight, TXRT_DTYPE_F32, wide.size(), wide.data(), &own.error));
  EXPECT_EQ(own.floats(nullptr, name), std::vector<float>(wide.size(), 1));
}

TEST_F(Library, TensorsThatAreNot) {
  Training own(file("step.txa"));
  own.initialize();
  txrt_session *session = txrt_train_session(own.get());
  txrt_tensor tensor = {};
  txrt_error &error = own.error;
  auto refused = [&](txrt_status status, const std::string &part) {
    EXPECT_EQ(status, TXRT_USAGE);
    EXPECT_NE(std::string(error.message).find(part), std::string::npos)
        << "wanted: " << part << "\nfound: " << error.message;
  };
  refused(txrt_session_find_tensor(session, nullptr, "wte", &tensor, &error), "has no parameter or state 'wte'");
  refused(txrt_session_find_tensor(session, "forward", "tokens", &tensor, &error),
          "has no entry 'forward'; present: microbatch");
  refused(txrt_session_find_tensor(session, "apply", "tokens", &tensor, &error),
          "entry 'apply' has no argument or result 'tokens'; present: lr, step, grad_norm");
  refused(txrt_session_find_tensor(session, nullptr, nullptr, &tensor, &error), "an argument is NULL");
  refused(txrt_session_find_tensor(nullptr, nullptr, "x", &tensor, &error), "an argument is NULL");
  refused(txrt_session_global(session, -1, &tensor, &error), "global -1 of");

  const txrt_tensor weight = own.find(nullptr, "transformer.wte.weight");
  std::vector<float> values(weight.elements);
  for (const bool writes : {false, true}) {
    auto copy = [&](const txrt_tensor *which, txrt_dtype dtype, uint64_t elements, float *array) {
      return writes ? txrt_session_write_tensor(session, which, dtype, elements, array, &error)
                    : txrt_session_read_tensor(session, which, dtype, elements, array, &error);
    };
    refused(copy(&weight, TXRT_DTYPE_I32, weight.elements, values.data()),
            "'transformer.wte.weight' f32[256, 32], and the array is of i32");
    refused(copy(&weight, TXRT_DTYPE_F32, weight.elements - 1, values.data()),
            "has 8192 elements, and the array has 8191");
    refused(copy(&weight, TXRT_DTYPE_F32, weight.elements, nullptr), "an argument is NULL");
    refused(copy(nullptr, TXRT_DTYPE_F32, weight.elements, values.data()), "an argument is NULL");
    const txrt_tensor nothing = {};
    refused(copy(&nothing, TXRT_DTYPE_F32, weight.elements, values.data()), "an argument is NULL");
  }
}

TEST_F(Library, ArtifactsThatAreNone) {
  const std::string good = read(file("step.txa"));
  std::string flipped = good;
  flipped[good.size() / 2] = char(flipped[good.size() / 2] ^ 1);
  const std::pair<std::string, const char *> cases[] = {{"", "shorter than an artifact's header"},
                                                        {"text that is no artifact, long enough to have a header "
                                                         "of its own and then some more",
                                                         "not a Tx artifact"},
                                                        {good.substr(0, good.size() - 1), "truncated"},
                                                        {flipped, "damaged"}};
  for (const auto &[bytes, part] : cases) {
    std::ofstream(file("bad.txa"), std::ios::binary) << bytes;
    txrt_error error = {};
    txrt_train *train = nullptr;
    EXPECT_EQ(txrt_train_open(file("bad.txa").c_str(), nullptr, &train, &error), TXRT_BAD_INPUT) << part;
    EXPECT_NE(std::string(error.message).find(part), std::string::npos) << error.message;
    EXPECT_EQ(train, nullptr);
  }
}

TEST_F(Library, IsForC) { EXPECT_STREQ(tryFromC(), "no such file: cannot be opened: No such file or directory"); }

} // namespace
