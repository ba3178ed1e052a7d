// What a kernel computes has the same bits as its ops one by one.

#include "OpCases.h"

#include <gtest/gtest.h>
#include <map>
#include <random>

using namespace txtest;

namespace {
constexpr int64_t kRows = 6;

/// A way to make an op: its text with operands $0 $1 ... (rows of floats), the reduction passes that it needs.
struct Recipe {
  const char *name;
  const char *text;
  unsigned operands;
  unsigned passes;
};
// #t: rows of floats, #s: statistics, #w: a weight. Fixed inputs: %w %b %mean %rstd %table %key.
const Recipe recipes[] = {
    {"add", "tx.add $0, $1 in <\"x\"> : #t", 2, 0},
    {"gelu", "tx.gelu $0 in <\"x\"> : #t", 1, 0},
    {"gelu_grad", "tx.gelu_grad $0, $1 in <\"x\"> : #t", 2, 0},
    {"dropout", "tx.dropout $0, %key p 0.4 in <\"x\"> {step.immediate = 0 : i64} : #t, tensor<4xi32>", 1, 0},
    {"positions", "tx.add_positions $0, %table in <\"x\"> : #t, #p", 1, 0},
    {"norm", "tx.layer_norm $0, %w, %b eps 1.0e-3 in <\"x\"> : #t, #w", 1, 2},
    {"norm_grad", "tx.layer_norm_input_grad $0, $1, %w, %mean, %rstd in <\"x\"> : #t, #w, #s", 2, 1},
    {"rms", "tx.rms_norm $0, %w eps 1.0e-3 in <\"x\"> : #t, #w", 1, 1},
    {"rms_grad", "tx.rms_norm_input_grad $0, $1, %w, %rstd in <\"x\"> : #t, #w, #s", 2, 1},
    {"swiglu", "tx.swiglu $0, $1 in <\"x\"> : #t", 2, 0},
    {"swiglu_grad", "tx.swiglu_grad $0, $1, $0 in <\"x\"> : #t", 2, 0},
    {"softmax", "tx.softmax $0 in <\"x\"> : #t", 1, 2},
    {"softmax_causal", "tx.softmax $0 causal in <\"x\"> : #t", 1, 2},
    {"softmax_grad", "tx.softmax_grad $0, $1 in <\"x\"> : #t", 2, 1},
};

struct Node {
  const Recipe *recipe; // null: an input
  std::vector<unsigned> operands;
  bool isOutput = false;
  unsigned level = 0, lastRead = 0;
};

std::string replaced(std::string text, const std::string &from, const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

class Fusion {
public:
  Fusion(std::string element, int64_t columns) : element(std::move(element)), columns(columns) { makeTensors(); }
  void check(const std::function<std::unique_ptr<KernelRunner>(const std::string &)> &compile);

private:
  std::string element;
  int64_t columns;
  std::string n = std::to_string(columns);
  std::map<std::string, Tensor> fixed;

  void makeTensors() {
    auto values = [&](std::vector<int64_t> shape, unsigned seed, bool narrow) {
      Tensor tensor{std::move(shape), narrow && element == "bf16" ? "bf16" : "f32"};
      for (float value : randomFloats(tensor.elements(), seed))
        tensor.values.push_back(value);
      // As the element type has it.
      Bytes bytes = tensor.pack(0);
      tensor.unpack(bytes, 0);
      return tensor;
    };
    fixed["%w"] = values({columns}, 101, true);
    fixed["%b"] = values({columns}, 102, true);
    fixed["%mean"] = values({2, 3}, 103, false);
    fixed["%rstd"] = values({2, 3}, 104, false);
    fixed["%table"] = values({4, columns}, 105, true);
    fixed["%key"] = Tensor{{4}, "i32", {5, 6, 7, 0}};
    for (unsigned i = 0; i < 4; ++i)
      inputs.push_back(values({2, 3, columns}, i, true));
  }
  std::vector<Tensor> inputs;

  std::string types(std::string text) {
    text = replaced(text, "#t", "tensor<2x3x" + n + "x" + element + ">");
    text = replaced(text, "#w", "tensor<" + n + "x" + element + ">");
    text = replaced(text, "#p", "tensor<4x" + n + "x" + element + ">");
    return replaced(text, "#s", "tensor<2x3xf32>");
  }
  std::string opText(const Recipe &recipe, const std::string &result, const std::vector<std::string> &operands) {
    std::string text = types(recipe.text);
    for (size_t i = 0; i < operands.size(); ++i)
      text = replaced(text, "$" + std::to_string(i), operands[i]);
    std::string name = recipe.name, statistics;
    if (name == "norm")
      statistics = ", " + result + "m, " + result + "r";
    else if (name == "rms")
      statistics = ", " + result + "r";
    else if (name == "swiglu_grad")
      statistics = ", " + result + "u";
    return "  " + result + statistics + " = " + text + "\n";
  }
  /// A kernel of rows: its buffers are the fixed inputs, then `rows`, then `outputs`.
  std::string kernelText(const std::string &name, const std::vector<std::string> &rows, const std::string &body,
                         const std::vector<std::string> &outputs) {
    std::string text = "step.kernel @" + name + " row [6, " + n + "] immediates 1 (", t = types("#t"), separator;
    for (auto &[fixedName, tensor] : fixed)
      text += separator + fixedName + ": " + tensor.type(), separator = ", ";
    for (const std::string &row : rows)
      text += ", " + row + ": " + t;
    text += ") {\n" + body + "  step.yield ";
    separator = "";
    std::string list;
    for (const std::string &output : outputs)
      text += separator + output, list += separator + t, separator = ", ";
    return text + " : " + list + "\n}\n";
  }
  void run(KernelRunner &kernels, const std::string &name, const std::vector<Bytes *> &rows) {
    std::vector<Bytes> memory;
    for (auto &[fixedName, tensor] : fixed)
      memory.push_back(tensor.pack(0));
    std::vector<Bytes *> buffers;
    for (Bytes &bytes : memory)
      buffers.push_back(&bytes);
    buffers.insert(buffers.end(), rows.begin(), rows.end());
    kernels.runUnits(name, buffers, 0, kRows, {77});
  }
};
} // namespace

void Fusion::check(const std::function<std::unique_ptr<KernelRunner>(const std::string &)> &compile) {
  std::mt19937 random(columns);
  std::string text;
  for (const Recipe &recipe : recipes) // each op alone
    text += kernelText(recipe.name,
                       recipe.operands == 1 ? std::vector<std::string>{"%x"} : std::vector<std::string>{"%x", "%y"},
                       opText(recipe, "%z", {"%x", "%y"}), {"%z"});
  constexpr unsigned kKernels = 8, kInputs = 4;
  std::vector<std::vector<Node>> programs;
  for (unsigned k = 0; k < kKernels; ++k) {
    std::vector<Node> nodes(kInputs, Node{nullptr, {}});
    unsigned ops = 2 + random() % 5;
    std::string body;
    std::vector<std::string> names = {"%i0", "%i1", "%i2", "%i3"}, outputs;
    for (unsigned i = 0; i < ops; ++i) {
      Node node{&recipes[random() % std::size(recipes)], {}};
      std::vector<std::string> operands;
      for (unsigned o = 0; o < node.recipe->operands; ++o) {
        // Rather a late value, so that chains grow.
        unsigned operand = random() % 2 ? nodes.size() - 1 : random() % nodes.size();
        node.operands.push_back(operand);
        operands.push_back(names[operand]);
        node.level = std::max(node.level, nodes[operand].level);
      }
      node.level += node.recipe->passes;
      node.isOutput = random() % 3 == 0 || i + 1 == ops;
      names.push_back("%v" + std::to_string(i));
      body += opText(*node.recipe, names.back(), operands);
      nodes.push_back(node);
    }
    for (unsigned i = nodes.size(); i-- > 0;) // users come later
      for (unsigned operand : nodes[i].operands)
        nodes[operand].lastRead = std::max({nodes[operand].lastRead, nodes[i].level, nodes[i].lastRead});
    for (unsigned i = kInputs; i < nodes.size(); ++i)
      if (nodes[i].isOutput)
        outputs.push_back(names[i]);
    text += kernelText("fused" + std::to_string(k), {"%i0", "%i1", "%i2", "%i3"}, body, outputs);
    programs.push_back(nodes);
  }
  std::unique_ptr<KernelRunner> kernels = compile(text);
  for (unsigned k = 0; k < kKernels; ++k) {
    std::vector<Node> &nodes = programs[k];
    std::vector<Bytes> alone;
    for (unsigned i = 0; i < nodes.size(); ++i) {
      alone.push_back(inputs[0].pack(0));
      if (i < kInputs) {
        alone[i] = inputs[i].pack(0);
        continue;
      }
      std::vector<Bytes *> buffers;
      for (unsigned operand : nodes[i].operands)
        buffers.push_back(&alone[operand]);
      buffers.push_back(&alone[i]);
      run(*kernels, nodes[i].recipe->name, buffers);
    }
    for (bool inPlace : {false, true}) {
      std::vector<Bytes> memory(alone.begin(), alone.begin() + kInputs), fresh(nodes.size(), inputs[0].pack(0));
      std::vector<Bytes *> buffers, results;
      for (unsigned i = 0; i < kInputs; ++i)
        buffers.push_back(&memory[i]);
      std::vector<bool> taken(kInputs, false);
      for (unsigned i = kInputs; i < nodes.size(); ++i) {
        if (!nodes[i].isOutput)
          continue;
        Bytes *place = &fresh[i];
        for (unsigned input = 0; inPlace && input < kInputs; ++input)
          if (!taken[input] && nodes[input].lastRead <= nodes[i].level) {
            taken[input] = true;
            place = &memory[input];
            break;
          }
        buffers.push_back(place);
        results.push_back(place);
      }
      run(*kernels, "fused" + std::to_string(k), buffers);
      unsigned result = 0;
      for (unsigned i = kInputs; i < nodes.size(); ++i)
        if (nodes[i].isOutput)
          EXPECT_TRUE(*results[result++] == alone[i])
              << "kernel " << k << (inPlace ? " in place" : "") << ", value " << i - kInputs << " in\n"
              << text.substr(text.find("@fused" + std::to_string(k) + " "));
    }
  }
}

void txtest::checkFusion(const std::string &element, int64_t columns,
                         const std::function<std::unique_ptr<KernelRunner>(const std::string &)> &compile) {
  Fusion(element, columns).check(compile);
}
