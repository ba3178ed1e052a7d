// Times the kernels between the products of a LLaMA layer, forward and backward, on one core: the bytes that must move
// per second (each operand and result once), beside a generated kernel that copies as many bytes. Kernel and copy run
// in turns, and the medians of all rounds are shown. `tx-layer-bench [--rounds N] [--tokens N] [--cpu LEVEL]
// [--only KERNEL] [--object FILE.o]`; the last writes the code of the last kernel.

#include "KernelHarness.h"

#include "llvm/Support/Alignment.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>

using namespace txtest;

namespace {

// The layer of a LLaMA of 150 M parameters: 12 heads and 4 of keys, 64 wide.
constexpr int64_t kHidden = 768, kHeads = 12, kWidth = 64, kFeedForward = 2048, kSequence = 256;

/// This thread's time on a CPU: on a busy machine, what others take from it does not count.
double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

int64_t bytesOf(const Tensor &tensor) {
  const std::string element = tensor.element;
  return tensor.elements() * (element == "bf16" ? 2 : element == "i1" ? 1 : 4);
}

int64_t bytesOf(const OpCase &op) {
  int64_t bytes = 0;
  for (const auto *tensors : {&op.inputs, &op.outputs})
    for (const Tensor &tensor : *tensors)
      bytes += bytesOf(tensor);
  return bytes;
}

/// Buffers of a kernel, filled with numbers near 1 (bits with 0). In place means that the result lies on that input.
struct Operands {
  explicit Operands(const OpCase &op) {
    static const std::vector<float> numbers = randomFloats(1 << 16, 1);
    std::vector<uint16_t> narrow;
    for (float number : numbers) {
      uint32_t bits;
      std::memcpy(&bits, &number, 4);
      narrow.push_back(static_cast<uint16_t>(bits >> 16));
    }
    for (const auto *tensors : {&op.inputs, &op.outputs})
      for (const Tensor &tensor : *tensors) {
        const size_t bytes = bytesOf(tensor);
        memory.emplace_back(bytes + kAlignment);
        auto *aligned = reinterpret_cast<uint8_t *>(llvm::alignAddr(memory.back().data(), llvm::Align(kAlignment)));
        const bool isNarrow = std::string(tensor.element) == "bf16";
        const void *from = isNarrow ? static_cast<const void *>(narrow.data()) : numbers.data();
        const size_t chunk = numbers.size() * (isNarrow ? 2 : 4);
        for (size_t at = 0; at < bytes && bytes > 1; at += chunk)
          std::memcpy(aligned + at, from, std::min(chunk, bytes - at));
        pointers.push_back(aligned);
      }
    for (auto [input, output] : op.inPlace)
      pointers[op.inputs.size() + output] = pointers[input];
  }
  std::vector<Bytes> memory;
  std::vector<void *> pointers;

private:
  static constexpr size_t kAlignment = 64; // as in an arena
};

/// Reads and writes half of the bytes each.
OpCase copyOf(int64_t bytes) {
  const int64_t chunks = std::max<int64_t>(1, bytes / 8 / 4096);
  Tensor x{{chunks, 4096}};
  return {"copy" + std::to_string(chunks), "flat", chunks, 4096, "", {x}, {x}};
}

std::string copyText(const OpCase &op) {
  const std::string type = op.inputs[0].type();
  return "step.kernel @" + op.name + " flat [" + std::to_string(op.rows) + ", 4096] (%0: " + type +
         ") { step.yield %0 : " + type + " }\n";
}

std::vector<OpCase> layerCases(int64_t tokens, const char *element) {
  const int64_t batch = tokens / kSequence;
  const std::string suffix = std::string(" ") + element, in = " in <\"x\"> : ";
  Tensor x{{batch, kSequence, kHidden}, element}, w{{kHidden}, element}, rstd{{batch, kSequence}};
  Tensor wHead{{kWidth}, element}, rstdHead{{batch, kSequence, kHeads}}, table{{kSequence, kWidth / 2}};
  Tensor gate{{batch, kSequence, kFeedForward}, element}, acc{{kHidden}}, accHead{{kWidth}}, reset{{}, "i1"};
  const std::string t = x.type(), f = gate.type();
  const std::string heads = " heads " + std::to_string(kHeads);
  auto name = [&](const char *text) { return std::string(text) + "_" + element; };
  return {
      {name("rms_norm"),
       "row",
       tokens,
       kHidden,
       "%r0, %r1 = tx.rms_norm %0, %1 eps 1.0e-5" + in + t + ", " + w.type(),
       {x, w},
       {x, rstd}},
      {name("residual_and_rms_norm"),
       "row",
       tokens,
       kHidden,
       "%r0 = tx.add %0, %1" + in + t + "\n  %r1, %r2 = tx.rms_norm %r0, %2 eps 1.0e-5" + in + t + ", " + w.type(),
       {x, x, w},
       {x, x, rstd},
       {{0, 0}}},
      {name("rms_norm_input_grad"),
       "row",
       tokens,
       kHidden,
       "%r0 = tx.rms_norm_input_grad %0, %1, %2, %3" + in + t + ", " + w.type() + ", " + rstd.type(),
       {x, x, w, rstd},
       {x},
       {{0, 0}}},
      {name("rms_norm_input_grad_and_residual"),
       "row",
       tokens,
       kHidden,
       "%d = tx.rms_norm_input_grad %0, %1, %2, %3" + in + t + ", " + w.type() + ", " + rstd.type() +
           "\n  %r0 = tx.add %4, %d" + in + t,
       {x, x, w, rstd, x},
       {x},
       {{4, 0}}},
      {name("rms_norm_weight_grad"),
       "column",
       tokens,
       kHidden,
       "%r0 = tx.rms_norm_weight_grad %0, %1, %2 into %3 reset %4" + in + t + ", " + rstd.type() + ", " + acc.type() +
           ", tensor<i1>",
       {x, x, rstd, acc, reset},
       {acc},
       {{3, 0}}},
      {name("qk_norm"),
       "row",
       tokens * kHeads,
       kWidth / 2,
       "%r0, %r1 = tx.rms_norm %0, %1 eps 1.0e-5" + heads + in + t + ", " + wHead.type(),
       {x, wHead},
       {x, rstdHead}},
      {name("qk_norm_and_rope"),
       "row",
       tokens * kHeads,
       kWidth / 2,
       "%n, %r1 = tx.rms_norm %0, %1 eps 1.0e-5" + heads + in + t + ", " + wHead.type() +
           "\n  %r0 = tx.rope %n, %2, %3" + heads + in + t + ", " + table.type(),
       {x, wHead, table, table},
       {x, rstdHead}},
      {name("qk_norm_input_grad"),
       "row",
       tokens * kHeads,
       kWidth / 2,
       "%r0 = tx.rms_norm_input_grad %0, %1, %2, %3" + heads + in + t + ", " + wHead.type() + ", " + rstdHead.type(),
       {x, x, wHead, rstdHead},
       {x},
       {{0, 0}}},
      {name("rope_and_qk_norm_input_grad"),
       "row",
       tokens * kHeads,
       kWidth / 2,
       "%r1 = tx.rope %0, %4, %5" + heads + " inverse" + in + t + ", " + table.type() +
           "\n  %r0 = tx.rms_norm_input_grad %r1, %1, %2, %3" + heads + in + t + ", " + wHead.type() + ", " +
           rstdHead.type(),
       {x, x, wHead, rstdHead, table, table},
       {x, x},
       {{0, 1}}},
      {name("qk_norm_weight_grad"),
       "column",
       tokens * kHeads,
       kWidth,
       "%r0 = tx.rms_norm_weight_grad %0, %1, %2 into %3 reset %4" + heads + in + t + ", " + rstdHead.type() + ", " +
           accHead.type() + ", tensor<i1>",
       {x, x, rstdHead, accHead, reset},
       {accHead},
       {{3, 0}}},
      {name("rope"),
       "row",
       tokens * kHeads,
       kWidth / 2,
       "%r0 = tx.rope %0, %1, %2" + heads + in + t + ", " + table.type(),
       {x, table, table},
       {x},
       {{0, 0}}},
      {name("swiglu"), "row", tokens, kFeedForward, "%r0 = tx.swiglu %0, %1" + in + f, {gate, gate}, {gate}},
      {name("swiglu_grad"),
       "row",
       tokens,
       kFeedForward,
       "%r0, %r1 = tx.swiglu_grad %0, %1, %2" + in + f,
       {gate, gate, gate},
       {gate, gate},
       {{1, 0}, {2, 1}}},
      {name("swiglu_again_and_grad"),
       "row",
       tokens,
       kFeedForward,
       "%r0 = tx.swiglu %1, %2" + in + f + "\n  %r1, %r2 = tx.swiglu_grad %0, %1, %2" + in + f,
       {gate, gate, gate},
       {gate, gate, gate},
       {{0, 0}, {1, 1}, {2, 2}}},
  };
}

} // namespace

int main(int argc, char **argv) {
  int64_t rounds = 15, tokens = 1024;
  tx::HostTargetOptions options;
  std::string only, object;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--rounds")
      rounds = std::stoll(argv[i + 1]);
    else if (flag == "--tokens")
      tokens = std::stoll(argv[i + 1]);
    else if (flag == "--cpu")
      options.cpu = argv[i + 1];
    else if (flag == "--only")
      only = argv[i + 1];
    else if (flag == "--object")
      object = argv[i + 1];
  }
  std::printf("%lld tokens, medians of %lld rounds\n%-40s %10s %8s %10s\n", static_cast<long long>(tokens),
              static_cast<long long>(rounds), "kernel", "us", "GB/s", "of a copy");
  for (const char *element : {"f32", "bf16"})
    for (const OpCase &op : layerCases(tokens, element)) {
      if (!only.empty() && op.name != only)
        continue;
      const OpCase copy = copyOf(bytesOf(op));
      Kernels kernels(op.text() + copyText(copy), options);
      if (!object.empty())
        std::ofstream(object, std::ios::binary)
            .write(kernels.code().object.data(), static_cast<std::streamsize>(kernels.code().object.size()));
      Operands operands(op), copied(copy);
      std::vector<double> taken, copyTaken;
      for (int64_t round = 0; round <= rounds; ++round) {
        const double start = seconds();
        kernels.run(op.name, operands.pointers, op.units());
        const double between = seconds();
        kernels.run(copy.name, copied.pointers, copy.rows);
        const double end = seconds();
        if (round == 0) // touches all pages
          continue;
        taken.push_back((between - start) / static_cast<double>(bytesOf(op)));
        copyTaken.push_back((end - between) / static_cast<double>(bytesOf(copy)));
      }
      const double perByte = median(taken), copyPerByte = median(copyTaken);
      std::printf("%-40s %10.1f %8.1f %9.2fx\n", op.name.c_str(), perByte * 1e6 * static_cast<double>(bytesOf(op)),
                  1e-9 / perByte, copyPerByte / perByte);
      std::fflush(stdout);
    }
}
