// Times generated kernels at the shapes of GPT-2 124M (batch 4 x 64) on one core, as bytes that must move per second,
// beside what memcpy does with as many. `tx-kernel-bench FILE.o` also writes the object.

#include "KernelHarness.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>

using namespace txtest;

static double seconds() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

static double best(const std::function<void()> &work) {
  double least = 1e9, spent = 0;
  for (int i = 0; i < 1000 && (i < 3 || spent < 0.3); ++i) {
    double start = seconds();
    work();
    double took = seconds() - start;
    least = std::min(least, took);
    spent += took;
  }
  return least;
}

struct Case {
  const char *name;
  std::string kernel;
  std::vector<size_t> buffers; // elements
  std::vector<bool> moves;     // counted as traffic
  int64_t units;
  std::vector<uint32_t> immediates = {};
};

static std::string text(const char *name, const std::string &kind, int64_t rows, int64_t columns,
                        const std::string &rest) {
  return std::string("step.kernel @") + name + " " + kind + " [" + std::to_string(rows) + ", " +
         std::to_string(columns) + "] " + rest + "\n";
}

int main(int argc, char **argv) {
  std::string x = "tensor<4x64x768xf32>", f = "tensor<4x64x3072xf32>", w = "tensor<768xf32>", s = "tensor<4x64xf32>";
  std::string p = "tensor<4x12x64x64xf32>", big = "tensor<12x1024x1024xf32>", l = "tensor<4x64x50257xf32>";
  std::string table = "tensor<50257x768xf32>", t = "tensor<4x64xi32>", scalar = "tensor<f32>",
              two = "tensor<4x64x2xf32>";
  const size_t nx = 256 * 768, nf = 256 * 3072, np = 48 * 64 * 64, nl = 256 * 50257, nb = 12 * 1024 * 1024,
               nt = 50257 * 768;
  std::vector<Case> cases = {
      {"add",
       text("add", "row", 256, 768,
            "(%a: " + x + ", %b: " + x + ") { %y = tx.add %a, %b in <\"x\"> : " + x + " step.yield %y : " + x + " }"),
       {nx, nx, nx},
       {1, 1, 1},
       256},
      {"layer_norm",
       text("layer_norm", "row", 256, 768,
            "(%x: " + x + ", %w: " + w + ", %b: " + w +
                ") { %y, %m, %r = tx.layer_norm %x, %w, %b eps 1.0e-5 in <\"x\"> : " + x + ", " + w +
                " step.yield %y, %m, %r : " + x + ", " + s + ", " + s + " }"),
       {nx, 768, 768, nx, 256, 256},
       {1, 0, 0, 1, 0, 0},
       256},
      {"residual+norm",
       text("residual_norm", "row", 256, 768,
            "(%a: " + x + ", %r0: " + x + ", %w: " + w + ", %b: " + w + ") { %x = tx.add %a, %r0 in <\"x\"> : " + x +
                " %y, %m, %r = tx.layer_norm %x, %w, %b eps 1.0e-5 in <\"x\"> : " + x + ", " + w +
                " step.yield %x, %y, %m, %r : " + x + ", " + x + ", " + s + ", " + s + " }"),
       {nx, nx, 768, 768, nx, nx, 256, 256},
       {1, 1, 0, 0, 1, 1, 0, 0},
       256},
      {"layer_norm_input_grad",
       text("ln_dx", "row", 256, 768,
            "(%dy: " + x + ", %x: " + x + ", %w: " + w + ", %m: " + s + ", %r: " + s +
                ") { %y = tx.layer_norm_input_grad %dy, %x, %w, %m, %r in <\"x\"> : " + x + ", " + w + ", " + s +
                " step.yield %y : " + x + " }"),
       {nx, nx, 768, 256, 256, nx},
       {1, 1, 0, 0, 0, 1},
       256},
      {"layer_norm_weight_grad",
       text("ln_dw", "column", 256, 768,
            "(%dy: " + x + ", %x: " + x + ", %m: " + s + ", %r: " + s + ", %aw: " + w + ", %ab: " + w +
                ") { %gw, %gb = tx.layer_norm_weight_grad %dy, %x, %m, %r into %aw, %ab in <\"x\"> : " + x + ", " + s +
                ", " + w + ", " + w + " step.yield %gw, %gb : " + w + ", " + w + " }"),
       {nx, nx, 256, 256, 768, 768, 768, 768},
       {1, 1, 0, 0, 0, 0, 0, 0},
       12},
      {"bias_grad",
       text("bias_grad", "column", 256, 3072,
            "(%dy: " + f + ", %a: tensor<3072xf32>) { %g = tx.bias_grad %dy into %a in <\"x\"> : " + f +
                ", tensor<3072xf32> step.yield %g : tensor<3072xf32> }"),
       {nf, 3072, 3072},
       {1, 0, 0},
       48},
      {"gelu",
       text("gelu", "row", 256, 3072,
            "(%x: " + f + ") { %y = tx.gelu %x in <\"x\"> : " + f + " step.yield %y : " + f + " }"),
       {nf, nf},
       {1, 1},
       256},
      {"gelu_grad",
       text("gelu_grad", "row", 256, 3072,
            "(%dy: " + f + ", %x: " + f + ") { %y = tx.gelu_grad %dy, %x in <\"x\"> : " + f + " step.yield %y : " + f +
                " }"),
       {nf, nf, nf},
       {1, 1, 1},
       256},
      {"dropout",
       text("dropout", "row", 256, 768,
            "immediates 1 (%x: " + x +
                ", %k: tensor<4xi32>) { %y = tx.dropout %x, %k p 0.1 in <\"x\"> {step.immediate = 0 : i64} : " + x +
                ", tensor<4xi32> step.yield %y : " + x + " }"),
       {nx, 4, nx},
       {1, 0, 1},
       256,
       {7}},
      {"softmax 64",
       text("softmax", "row", 3072, 64,
            "(%x: " + p + ") { %y = tx.softmax %x causal in <\"x\"> : " + p + " step.yield %y : " + p + " }"),
       {np, np},
       {1, 1},
       3072},
      {"softmax 1024",
       text("softmax_big", "row", 12288, 1024,
            "(%x: " + big + ") { %y = tx.softmax %x causal in <\"x\"> : " + big + " step.yield %y : " + big + " }"),
       {nb, nb},
       {1, 1},
       12288},
      {"softmax_grad 64",
       text("softmax_grad", "row", 3072, 64,
            "(%dy: " + p + ", %y: " + p + ") { %dx = tx.softmax_grad %dy, %y in <\"x\"> : " + p +
                " step.yield %dx : " + p + " }"),
       {np, np, np},
       {1, 1, 1},
       3072},
      {"cross_entropy",
       text("ce", "row", 256, 50257,
            "(%x: " + l + ", %t: " + t + ") { %y, %z = tx.cross_entropy %x, %t ignore -100 in <\"x\"> : " + l + ", " +
                t + " step.yield %y, %z : " + s + ", " + two + " }"),
       {nl, 256, 256, 512},
       {1, 0, 0, 0},
       256},
      {"cross_entropy_grad",
       text("ce_grad", "row", 256, 50257,
            "(%d: " + s + ", %x: " + l + ", %t: " + t + ", %z: " + two +
                ") { %y = tx.cross_entropy_grad %d, %x, %t, %z ignore -100 in <\"x\"> : " + s + ", " + l + ", " + t +
                " step.yield %y : " + l + " }"),
       {256, nl, 256, 512, nl},
       {0, 1, 0, 0, 1},
       256},
      {"embedding",
       text("embedding", "row", 256, 768,
            "(%t: " + t + ", %w: " + table + ") { %y = tx.embedding %t, %w in <\"x\"> : " + t + ", " + table +
                " step.yield %y : " + x + " }"),
       {256, nt, nx},
       {0, 0, 1},
       256},
      {"sum_of_squares",
       text("squares", "flat", 9424, 4096,
            "(%x: " + table + ") { %y = tx.sum_of_squares %x in <\"x\"> : " + table +
                " step.yield %y : tensor<9424xf32> }"),
       {nt, 9424},
       {1, 0},
       9424},
      {"adamw",
       text("adamw", "flat", 9424, 4096,
            "(%p: " + table + ", %g: " + table + ", %m: " + table + ", %v: " + table + ", %c: " + scalar +
                ", %lr: " + scalar +
                ", %t: tensor<i32>) { %p1, %m1, %v1 = tx.adamw %p, %g, %m, %v clip %c lr %lr step %t betas 0.9, 0.999 "
                "eps 1.0e-8 decay 0.1 in <\"x\"> : " +
                table + ", " + table + " step.yield %p1, %m1, %v1 : " + table + ", " + table + ", " + table + " }"),
       {nt, nt, nt, nt, 1, 1, 1, 0, 2, 3},
       {1, 1, 1, 1, 0, 0, 0, 1, 1, 1},
       9424},
  };
  std::string all;
  for (const Case &entry : cases)
    all += entry.kernel;
  double start = seconds();
  Kernels kernels(all);
  double first = seconds() - start;
  start = seconds();
  Kernels again(all);
  std::printf("%zu kernels compiled in %.0f ms (again: %.0f ms), %zu KiB\n", cases.size(), first * 1e3,
              (seconds() - start) * 1e3, kernels.code().object.size() / 1024);
  if (argc > 1)
    std::ofstream(argv[1], std::ios::binary).write(kernels.code().object.data(), kernels.code().object.size());

  std::printf("%-24s %10s %8s %10s\n", "kernel", "us", "GB/s", "of memcpy");
  for (const Case &entry : cases) {
    std::vector<std::vector<float>> memory;
    std::vector<void *> buffers;
    double bytes = 0;
    for (size_t i = 0; i < entry.buffers.size(); ++i) {
      // Sizes below 4 behind the scalars of adamw: an output lies on that input.
      bool alias = i > 6 && entry.buffers[i] < 4 && entry.buffers.size() == 10;
      memory.push_back(alias ? std::vector<float>() : randomFloats(entry.buffers[i], i));
      buffers.push_back(alias ? buffers[entry.buffers[i]] : memory.back().data());
      size_t size = alias ? entry.buffers[entry.buffers[i]] : entry.buffers[i];
      bytes += entry.moves[i] ? 4.0 * size : 0;
    }
    if (std::string(entry.name) == "adamw")
      *static_cast<int32_t *>(buffers[6]) = 10;
    if (std::string(entry.name) == "cross_entropy" || std::string(entry.name) == "embedding")
      std::memset(buffers[entry.name[0] == 'c' ? 1 : 0], 0, 1024);
    if (std::string(entry.name) == "adamw" || std::string(entry.name) == "sum_of_squares")
      for (float &value : memory[entry.name[0] == 'a' ? 3 : 0])
        value = value * value;
    std::string symbol = entry.kernel.substr(13, entry.kernel.find(' ', 13) - 13);
    double took = best([&] { kernels.run(symbol, buffers, entry.units, entry.immediates); });
    std::vector<char> from(static_cast<size_t>(bytes / 2), 1), to(from.size());
    double copy = best([&] { std::memcpy(to.data(), from.data(), from.size()); });
    std::printf("%-24s %10.1f %8.1f %9.2fx\n", entry.name, took * 1e6, bytes / took * 1e-9, copy / took);
  }
}
