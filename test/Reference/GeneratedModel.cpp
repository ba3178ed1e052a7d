//===- GeneratedModel.cpp - Random models in tx ops ---------------------------------------------------------------===//

#include "GeneratedModel.h"

#include <cctype>
#include <random>
#include <set>

using namespace tx;

namespace {

class Generator {
public:
  Generator(uint64_t seed, bool isForStep) : random(seed) {
    model.isForStep = isForStep;
    model.batch = between(1, 2);
    model.sequence = between(2, 4);
    model.vocabulary = between(3, 6);
  }

  GeneratedModel run() {
    width = 2 * between(2, 4);
    table = newParameter({model.vocabulary, width});
    add(embed());
    for (int64_t count = between(3, 10), i = 0; i < count; ++i) {
      if (between(0, 2) == 0)
        ++layer;
      addSomething();
    }
    model.layers = layer + 1;
    layer = -1;
    addLoss();
    model.modules.assign(modules.begin(), modules.end());
    model.text = globals + "func.func @loss(%tokens: " + ids() + " {tx.name = \"tokens\"}, %targets: " + ids() +
                 " {tx.name = \"targets\"}, %key: tensor<4xi32> {tx.name = \"key\"}) -> (tensor<f32>, tensor<f32>) "
                 "attributes {tx.train} {\n" +
                 loads + body + "  return " + sum + ", " + count + " : tensor<f32>, tensor<f32>\n}\n";
    return model;
  }

private:
  struct Value {
    std::string name;
    int64_t width;
  };
  struct Parameter {
    std::string name;
    std::vector<int64_t> shape;
  };

  //===--- Choices ---===//
  int64_t between(int64_t low, int64_t high) { return low + static_cast<int64_t>(random() % (high - low + 1)); }
  bool isOneIn(int64_t n) { return between(1, n) == 1; }

  /// Later values more often: the model gets deep.
  Value pick() {
    size_t back = std::min(between(0, 4), between(0, 4));
    return values[values.size() - 1 - std::min(back, values.size() - 1)];
  }
  Value pickAlike(const Value &other) {
    std::vector<Value> alike;
    for (const Value &value : values)
      if (value.width == other.width)
        alike.push_back(value);
    return alike[between(0, alike.size() - 1)];
  }

  //===--- Text ---===//
  static std::string tensor(const std::vector<int64_t> &shape, const char *element = "f32") {
    std::string text = "tensor<";
    for (int64_t size : shape)
      text += std::to_string(size) + "x";
    return text + element + ">";
  }
  std::string ids() const { return tensor({model.batch, model.sequence}, "i32"); }
  std::string losses() const { return tensor({model.batch, model.sequence}); }
  std::string rows(int64_t width) const { return tensor({model.batch, model.sequence, width}); }
  std::string scores(int64_t heads) const { return tensor({model.batch, heads, model.sequence, model.sequence}); }

  /// A place of its own, and the module that it belongs to.
  std::string at(const std::string &path) {
    if (layer < 0)
      return " in <\"" + path + ".v" + std::to_string(number) + "\">";
    std::string module = path.substr(path.rfind('.') + 1);
    if (module == "mlp" || module == "mlp_act" || module == "layernorm" || module == "core_attn" || module == "qk_norm")
      modules.insert(module);
    if (module == "mlp_act")
      modules.insert("mlp");
    return " in <layer " + std::to_string(layer) + ", \"" + path + ".v" + std::to_string(number) + "\">";
  }
  std::string name() { return "%v" + std::to_string(++number); }

  std::string newParameter(const std::vector<int64_t> &shape, const char *start = "normal(0.5)") {
    std::string name = "p" + std::to_string(parameters.size());
    parameters.push_back({name, shape});
    globals += "tx.global @" + name + " parameter " + start + " : " + tensor(shape) + "\n";
    loads += "  %" + name + " = tx.load @" + name + " : " + tensor(shape) + "\n";
    return "%" + name;
  }
  /// Perhaps one that others have, too.
  std::string parameter(const std::vector<int64_t> &shape, const char *start = "normal(0.5)") {
    std::vector<std::string> alike;
    for (const Parameter &parameter : parameters)
      if (parameter.shape == shape)
        alike.push_back("%" + parameter.name);
    return alike.empty() || isOneIn(2) ? newParameter(shape, start) : alike[between(0, alike.size() - 1)];
  }

  /// Whether the name stands in more lines than that which defines it.
  bool isUsed(const Value &value) const {
    size_t count = 0;
    for (size_t at = 0; (at = body.find(value.name, at)) != std::string::npos; at += value.name.size())
      count += !std::isdigit(body[at + value.name.size()]);
    return count > 1;
  }

  void line(const std::string &text) { body += "  " + text + "\n"; }
  void add(Value value) { values.push_back(value); }

  //===--- Ops ---===//
  Value embed() {
    std::string y = name();
    line(y + " = tx.embedding %tokens, " + table + at("embedding") + " : " + ids() + ", " +
         tensor({model.vocabulary, width}));
    return {y, width};
  }

  Value linear(Value x, int64_t columns, const std::string &path) {
    bool transposed = isOneIn(2), biased = isOneIn(2);
    std::vector<int64_t> shape = transposed ? std::vector{columns, x.width} : std::vector{x.width, columns};
    std::string w = parameter(shape), b = biased ? parameter({columns}) : "", y = name();
    line(y + " = tx.linear " + x.name + ", " + w + (transposed ? " transposed" : "") + (biased ? " bias " + b : "") +
         at(path) + " : " + rows(x.width) + ", " + tensor(shape) + (biased ? ", " + tensor({columns}) : "") + " -> " +
         rows(columns));
    return {y, columns};
  }

  Value slice(const Value &x, int64_t offset, int64_t size) {
    std::string y = name();
    line(y + " = tx.slice " + x.name + " " + std::to_string(offset) + " size " + std::to_string(size) + at("slices") +
         " : " + rows(x.width));
    return {y, size};
  }

  Value sumOf(const Value &a, const Value &b) {
    std::string y = name();
    line(y + " = tx.add " + a.name + ", " + b.name + at("residual") + " : " + rows(a.width));
    return {y, a.width};
  }

  Value unary(const std::string &op, const Value &x, const std::string &rest, const std::string &path,
              const std::string &types = "") {
    std::string y = name();
    line(y + " = tx." + op + " " + x.name + rest + at(path) + " : " + rows(x.width) + types);
    return {y, x.width};
  }

  Value norm(const Value &x) {
    std::string w = parameter({x.width}, "ones"), b = isOneIn(6) ? w : parameter({x.width}), y = name();
    std::string n = std::to_string(number);
    line(y + ", %mean" + n + ", %rstd" + n + " = tx.layer_norm " + x.name + ", " + w + ", " + b + " eps 1.0e-2" +
         at("layernorm") + " : " + rows(x.width) + ", " + tensor({x.width}));
    return {y, x.width};
  }

  /// One of the numbers of heads that divide the width.
  int64_t headsOf(int64_t width) {
    std::vector<int64_t> divisors;
    for (int64_t heads = 1; heads <= width; ++heads)
      if (width % heads == 0)
        divisors.push_back(heads);
    return divisors[between(0, divisors.size() - 1)];
  }

  Value rmsNorm(const Value &x) {
    int64_t heads = headsOf(x.width);
    std::string w = parameter({x.width / heads}, "ones"), y = name(), ofHeads;
    if (heads > 1)
      ofHeads = " heads " + std::to_string(heads);
    line(y + ", %rstd" + std::to_string(number) + " = tx.rms_norm " + x.name + ", " + w + " eps 1.0e-2" + ofHeads +
         (isOneIn(3) ? " offset 1" : "") + at(heads > 1 ? "self_attention.qk_norm" : "layernorm") + " : " +
         rows(x.width) + ", " + tensor({x.width / heads}));
    return {y, x.width};
  }

  /// The same positions for all samples, or, as numbers like others, the tokens.
  Value rope(const Value &x) {
    int64_t heads = headsOf(x.width), width = x.width / heads;
    if (width == 1)
      return x;
    int64_t turned = between(1, width / 2);
    bool isShared = isOneIn(2), isInterleaved = width % 2 == 0 && isOneIn(2);
    std::string positions = "%tokens", table = name(), n = std::to_string(number), frequencies;
    std::vector<int64_t> shape = {model.batch, model.sequence, turned};
    if (isShared) {
      shape.erase(shape.begin());
      positions = "%places" + n;
      line(positions + " = tx.positions" + at("rotary_pos_emb") + " : " + tensor({model.sequence}, "i32"));
    }
    for (int64_t i = 0; i < turned; ++i)
      frequencies += (i ? ", 0." : "0.") + std::to_string(between(100, 999));
    line(table + ", %sin" + n + " = tx.rope_table " + positions + " frequencies [" + frequencies + "]" +
         (isOneIn(3) ? " scale 1.5" : "") + at("rotary_pos_emb") + " : " +
         (isShared ? tensor({model.sequence}, "i32") : ids()));
    std::string y = name();
    line(y + " = tx.rope " + x.name + ", " + table + ", %sin" + n + " heads " + std::to_string(heads) +
         (isInterleaved ? " interleaved" : "") + (isOneIn(4) ? " inverse" : "") + at("self_attention.rope") + " : " +
         rows(x.width) + ", " + tensor(shape));
    return {y, x.width};
  }

  Value swiglu(const Value &gate, const Value &up) {
    std::string y = name();
    line(y + " = tx.swiglu " + gate.name + ", " + up.name + at("mlp.mlp_act") + " : " + rows(gate.width));
    return {y, gate.width};
  }

  /// Heads of queries share those of keys and values.
  Value attendInGroups(const Value &x) {
    int64_t groups = between(1, 2), heads = groups * between(1, 3), width = between(1, 3);
    Value q = linear(x, heads * width, "self_attention.qkv"), k = linear(x, groups * width, "self_attention.qkv");
    Value v = linear(x, groups * width, "self_attention.qkv");
    if (isOneIn(2))
      q = rope(q), k = rope(k);
    return attend(q, k, v, heads);
  }

  /// K and V may have fewer heads than Q, so that heads share them.
  Value attend(const Value &q, const Value &k, const Value &v, int64_t heads) {
    const std::string path = "self_attention.core_attn", type = rows(q.width), keyType = rows(k.width);
    const int64_t groups = k.width / (q.width / heads);
    if (isOneIn(2)) {
      std::string y = name(), dropout = isOneIn(3) ? " dropout %key p 0.25" : "";
      line(y + ", %lse" + std::to_string(number) + " = tx.flash_attention " + q.name + ", " + k.name + ", " + v.name +
           " heads " + std::to_string(heads) + " scale 0.5" + (isOneIn(2) ? " causal" : "") + dropout + at(path) +
           " : " + type + ", " + keyType + (dropout.empty() ? "" : ", tensor<4xi32>"));
      return {y, q.width};
    }
    std::string s = name();
    line(s + " = tx.attention_scores " + q.name + ", " + k.name + " heads " + std::to_string(heads) + " scale 0.5" +
         at(path) + " : " + type + ", " + keyType);
    std::string p = name();
    line(p + " = tx.softmax " + s + (isOneIn(2) ? " causal" : "") + at(path) + " : " + scores(heads));
    std::string y = name();
    line(y + " = tx.attention_context " + p + ", " + v.name + (isOneIn(3) ? " transposed" : "") +
         (groups == heads ? "" : " groups " + std::to_string(groups)) + at(path) + " : " + scores(heads) + ", " +
         keyType);
    return {y, q.width};
  }

  void addSomething() {
    Value x = pick();
    switch (between(0, 15)) {
    case 0:
      return add(linear(x, between(1, 8), "mlp"));
    case 1:
      return add(unary("gelu", x, "", "mlp.mlp_act"));
    case 2:
      return add(norm(x));
    case 3:
    case 4:
      return add(sumOf(x, pickAlike(x)));
    case 5: { // slices of any place: they overlap and leave holes
      for (int64_t count = between(1, 3); count > 0; --count) {
        int64_t size = between(1, x.width);
        add(slice(x, between(0, x.width - size), size));
      }
      return;
    }
    case 6: { // one beside the other, as a product of several has them
      int64_t half = x.width / 2;
      if (half == 0)
        return;
      Value a = slice(x, 0, half), b = slice(x, half, half);
      return add(isOneIn(2) ? sumOf(a, b) : sumOf(unary("gelu", a, "", "mlp.mlp_act"), b));
    }
    case 7: {
      Value y = pick(), z = pick();
      bool three = isOneIn(2);
      std::string whole = name();
      line(whole + " = tx.concat " + x.name + ", " + y.name + (three ? ", " + z.name : "") + at("wide") + " : " +
           rows(x.width) + ", " + rows(y.width) + (three ? ", " + rows(z.width) : ""));
      return add({whole, x.width + y.width + (three ? z.width : 0)});
    }
    case 8:
      return add(attend(x, pickAlike(x), pickAlike(x), x.width % 2 ? 1 : 2));
    case 9: // Q, K and V of one product
      return addSelfAttention(x);
    case 10:
      return add(unary("dropout", x, ", %key p 0.25", "dropped", ", tensor<4xi32>"));
    case 11:
      return add(rmsNorm(x));
    case 12:
      return add(isOneIn(2) ? rope(x) : rope(rmsNorm(x)));
    case 13:
      return add(swiglu(x, pickAlike(x)));
    case 14:
      return add(attendInGroups(x));
    default: {
      if (isOneIn(3))
        return add(embed());
      std::vector<int64_t> shape = {model.sequence + 1, x.width};
      return add(unary("add_positions", x, ", " + parameter(shape), "embedding", ", " + tensor(shape)));
    }
    }
  }

  void addSelfAttention(const Value &x) {
    auto divisorOf = [&](int64_t n) {
      int64_t divisor = between(1, n);
      while (n % divisor)
        --divisor;
      return divisor;
    };
    const int64_t heads = divisorOf(width), shared = width / heads * divisorOf(heads);
    Value qkv = linear(x, width + 2 * shared, "self_attention.qkv");
    add(attend(slice(qkv, 0, width), slice(qkv, width, shared), slice(qkv, width + shared, shared), heads));
  }

  //===--- Loss ---===//
  std::string logitsOf(const Value &x) {
    if (x.width == width && isOneIn(2)) { // tied
      std::string y = name();
      line(y + " = tx.linear " + x.name + ", " + table + " transposed" + at("output_layer") + " : " + rows(width) +
           ", " + tensor({model.vocabulary, width}) + " -> " + rows(model.vocabulary));
      return y;
    }
    return linear(x, model.vocabulary, "output_layer").name;
  }

  std::string crossEntropy(const std::string &logits) {
    bool ofTargets = !isOneIn(3);
    std::string ignored =
        std::to_string((ofTargets && model.isForStep) || isOneIn(3) ? -100 : between(0, model.vocabulary - 1));
    std::string y = name();
    line(y + ", %stats" + std::to_string(number) + " = tx.cross_entropy " + logits + ", " +
         (ofTargets ? "%targets" : "%tokens") + " ignore " + ignored + at("loss") + " : " + rows(model.vocabulary) +
         ", " + ids());
    return y;
  }

  void reduce(const std::string &value) {
    std::string s = name(), c = "%count" + std::to_string(number);
    std::string ignored = std::to_string(isOneIn(2) ? -100 : between(0, model.vocabulary - 1));
    line(s + ", " + c + " = tx.reduce_loss " + value + ", " + (isOneIn(4) ? "%tokens" : "%targets") + " ignore " +
         ignored + at("loss") + " : " + losses() + ", " + ids());
    count = c;
    sum = sum.empty() ? s : binary("add", sum, s, "tensor<f32>");
  }

  std::string binary(const std::string &op, const std::string &a, const std::string &b, const std::string &type) {
    std::string y = name();
    line(y + " = tx." + op + " " + a + ", " + b + at("loss") + " : " + type);
    return y;
  }

  /// Of all that nobody uses, so that every parameter has a gradient.
  void addLoss() {
    std::vector<Value> ends;
    for (const Value &value : values)
      if (!isUsed(value))
        ends.push_back(value);
    Value total = ends.back(); // the last one has no user
    ends.pop_back();
    for (const Value &end : ends)
      total = sumOf(total, end.width == total.width ? end : linear(end, total.width, "mix"));
    std::string logits = logitsOf(total), pending;
    for (int64_t count = between(1, 3); count > 0; --count) {
      std::string value = crossEntropy(logits);
      if (isOneIn(4)) {
        std::string y = name();
        line(y + " = tx.gelu " + value + at("loss") + " : " + losses());
        value = y;
      }
      if (!pending.empty())
        value = binary("add", pending, value, losses());
      pending.clear();
      if (count > 1 && isOneIn(2))
        pending = value;
      else
        reduce(value);
      if (count > 1 && !model.isForStep && isOneIn(2))
        logits = logitsOf(total);
    }
  }

  std::mt19937_64 random;
  GeneratedModel model;
  int64_t width = 0, number = 0;
  int layer = 0;
  std::string table, globals, loads, body, sum, count;
  std::vector<Value> values;
  std::vector<Parameter> parameters;
  std::set<std::string> modules;
};

} // namespace

GeneratedModel tx::generateModel(uint64_t seed, bool isForStep) { return Generator(seed, isForStep).run(); }
