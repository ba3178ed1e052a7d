//===- RowProgram.cpp - What a kernel computes for a row ----------------------------------------------------------===//

#include "RowProgram.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;

Number BlockPlace::columns(unsigned vector) const {
  Number start = convert(first, emitter.i32());
  return emitter.broadcast(start) + (emitter.lanes() + static_cast<double>(vector * kSlice));
}

Number BlockPlace::laneNumbers() const {
  Number block = offset.value ? first - offset : first;
  Number start = convert(block / static_cast<double>(kVectors), emitter.i32());
  if (offset.value)
    start = start + convert(offset, emitter.i32());
  return emitter.broadcast(start) + emitter.lanes();
}

Number BlockPlace::fromList(unsigned vector, ArrayRef<double> list) const {
  Number result;
  if (offset.value) { // the thread knows its columns, the code does not
    Number column = columns(vector);
    result = emitter.broadcast(emitter.constant(list.front(), emitter.f32()));
    for (auto [number, value] : llvm::enumerate(list.drop_front()))
      result = select(column == static_cast<double>(number + 1), value, result);
    return result;
  }
  for (size_t block = 0; block * kBlock < list.size(); ++block) {
    SmallVector<double> lanes;
    for (unsigned lane = 0; lane < kSlice; ++lane)
      lanes.push_back(list[std::min(block * kBlock + vector * kSlice + lane, list.size() - 1)]);
    Number values = emitter.vectorOf(lanes);
    result = block ? select(first == emitter.index(block * kBlock), values, result) : values;
  }
  return result;
}

RowProgram::RowProgram(Kernel &kernel) : kernel(kernel) {
  nodes.push_back(std::make_unique<RowNode>(RowNode::Scalar));
  number = nodes.back().get();
}

/// Adds a node. `earliest` is the first pass in which it may be computed: 0 for what is loaded or known from the start,
/// otherwise the first pass of the current op.
RowValue RowProgram::add(RowNode node, unsigned earliest) {
  node.pass = earliest;
  node.isUniform = node.kind != RowNode::Reduce;
  for (RowValue operand : node.operands) {
    node.pass = std::max(node.pass, operand->pass + (operand->kind == RowNode::Reduce ? 1 : 0));
    node.isUniform &= operand->isUniform;
    node.isLimited |= operand->beyondLimit.has_value() && node.kind == RowNode::Reduce;
  }
  passes = std::max(passes, node.pass + 1);
  nodes.push_back(std::make_unique<RowNode>(std::move(node)));
  return nodes.back().get();
}

/// Emits the error `why` and returns a value in place of the refused operand, so that the op's lowering can go on.
RowValue RowProgram::refuse(const Twine &why) {
  kernel.refuse(current, why);
  return constantIndex(0);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Operands
//===--------------------------------------------------------------------------------------------------------------===//

RowValue RowProgram::computed(Value operand, bool isColumns, unsigned element) {
  auto known = values.find(operand);
  if (known == values.end())
    return nullptr;
  RowValue value = known->second[element];
  if ((value->kind == RowNode::Columns) != isColumns || value->kind == RowNode::RowSum)
    return refuse("cannot share a kernel with the op that computes its operand: both use it differently");
  return value;
}

RowValue RowProgram::constantIndex(int64_t value) {
  return map({}, [value](Emitter &e, Numbers) { return e.index(value); });
}

RowValue RowProgram::startOf(RowValue row, const RowPlaces &places, unsigned part) {
  RowValue &known = starts[{row, places.stride, places.heads, places.headStride, part}];
  if (known)
    return known;
  if (part) {
    int64_t behind = part * kernel.columns;
    RowValue first = startOf(row, places);
    return known = map({first}, [behind](Emitter &e, Numbers v) { return v[0] + e.index(behind); });
  }
  return known = map({row}, [places](Emitter &, Numbers v) { return places.startOf(v[0]); });
}

RowValue RowProgram::load(const Buffer &buffer, RowValue start) {
  RowValue &known = loads[{&buffer, start}];
  if (known)
    return known;
  RowNode node(RowNode::Columns, {start});
  node.source = &buffer;
  node.block = [&buffer](const BlockPlace &at, ArrayRef<Vectors> v) {
    return at.emitter.loadBlock(buffer, v[0][0] + at.first, at.shape);
  };
  return known = add(std::move(node), 0);
}

RowValue RowProgram::loadElement(const Buffer &buffer, RowValue element) {
  return map({element}, [&buffer](Emitter &e, Numbers v) { return e.load(buffer, v[0]); });
}

/// How many parts, each as wide as the kernel's rows, make a row of `elements` elements among `rows`.
static unsigned countParts(int64_t elements, int64_t rows, int64_t columns) {
  int64_t width = elements / rows;
  return elements % rows == 0 && width % columns == 0 ? std::max<int64_t>(1, width / columns) : 1;
}

SmallVector<RowValue, 2> RowProgram::parts(Value operand) {
  if (auto known = values.find(operand); known != values.end()) {
    SmallVector<RowValue, 2> parts;
    for (unsigned part = 0; part < known->second.size(); ++part)
      parts.push_back(computed(operand, true, part));
    return parts;
  }
  const Buffer *buffer = kernel.input(operand);
  unsigned count = countParts(buffer->type.getNumElements(), kernel.rows, kernel.columns);
  std::optional<RowPlaces> places = RowPlaces::find(*buffer, kernel.rows, count * kernel.columns);
  if (!places)
    return SmallVector<RowValue, 2>(count, refuse("takes an operand whose rows follow each other"));
  SmallVector<RowValue, 2> parts;
  for (unsigned part = 0; part < count; ++part)
    parts.push_back(load(*buffer, startOf(number, *places, part)));
  return parts;
}

RowValue RowProgram::columns(Value operand) {
  SmallVector<RowValue, 2> all = parts(operand);
  return all.size() == 1 ? all[0] : refuse("takes an operand with the rows and columns of its kernel");
}

RowValue RowProgram::sameRow(Value operand, unsigned part) {
  if (RowValue value = computed(operand, true, part))
    return value;
  return load(*kernel.input(operand), constantIndex(part * kernel.columns));
}

/// The place of element `element` in a tensor that has `count` elements for each row.
RowValue RowProgram::elementOf(unsigned element, unsigned count) {
  RowValue first = count == 1 ? number : startOf(number, {count});
  if (element == 0)
    return first;
  return map({first}, [element](Emitter &e, Numbers v) { return v[0] + e.index(element); });
}

RowValue RowProgram::perRow(Value operand, unsigned element) {
  if (RowValue value = computed(operand, false, element))
    return value;
  const Buffer *buffer = kernel.input(operand);
  if (!buffer->isContiguous())
    return refuse("takes an operand whose elements follow each other");
  return loadElement(*buffer, elementOf(element, buffer->type.getNumElements() / kernel.rows));
}

RowValue RowProgram::uniform(Value operand, int64_t element) {
  const Buffer *buffer = kernel.input(operand);
  if (!buffer)
    return refuse("cannot share a kernel with the op that computes its scalar operand");
  return loadElement(*buffer, constantIndex(element));
}

RowValue RowProgram::tableRow(Value table, RowValue row, unsigned part) {
  const Buffer *buffer = kernel.input(table);
  if (!buffer)
    return refuse("cannot share a kernel with the op that computes its table");
  return load(*buffer, startOf(row, {buffer->stride}, part));
}

RowValue RowProgram::elementAt(Value operand, RowValue element) {
  const Buffer *buffer = kernel.input(operand);
  if (!buffer || !buffer->isContiguous())
    return refuse("takes an operand from memory whose elements follow each other");
  return loadElement(*buffer, element);
}

RowValue RowProgram::immediate(unsigned index) {
  if (index >= kernel.op.getImmediates())
    return refuse("uses immediate " + Twine(index) + " of a kernel with " + Twine(kernel.op.getImmediates()));
  return map({}, [this, index](Emitter &, Numbers) { return kernel.immediate(index); });
}

//===--------------------------------------------------------------------------------------------------------------===//
// Computing
//===--------------------------------------------------------------------------------------------------------------===//

RowValue RowProgram::map(ArrayRef<RowValue> operands, Map map) {
  if (llvm::any_of(operands, [](RowValue operand) { return operand->kind == RowNode::Columns; }))
    return mapColumns(operands, std::move(map));
  RowNode node(RowNode::Scalar, operands);
  node.scalar = std::move(map);
  return add(std::move(node), 0);
}

RowValue RowProgram::mapColumns(ArrayRef<RowValue> operands, Map map) {
  return mapBlock(operands, [map = std::move(map)](const BlockPlace &at, ArrayRef<Vectors> operands) {
    Vectors result;
    for (unsigned i = 0; i < at.shape.vectors; ++i) {
      SmallVector<Number> numbers;
      for (const Vectors &operand : operands)
        numbers.push_back(operand.size() == 1 ? operand[0] : operand[i]);
      result.push_back(map(at.emitter, numbers));
    }
    return result;
  });
}

RowValue RowProgram::mapBlock(ArrayRef<RowValue> operands, BlockMap map) {
  RowNode node(RowNode::Columns, operands);
  node.block = std::move(map);
  return add(std::move(node), firstPass);
}

RowValue RowProgram::reduce(Reduction reduction, ArrayRef<RowValue> operands) {
  RowNode node(RowNode::Reduce, operands);
  node.reduction = reduction;
  return add(std::move(node), firstPass);
}

RowValue RowProgram::upToDiagonal(RowValue value, double otherwise, int64_t period) {
  limitsDiffer |= limitPeriod != 0 && limitPeriod != period;
  limitPeriod = period;
  if (!limit)
    limit = map({number}, [period](Emitter &e, Numbers v) { return v[0] % period; });
  RowValue last = limitsDiffer ? map({number}, [period](Emitter &e, Numbers v) { return v[0] % period; }) : limit;
  RowValue last32 = map({last}, [](Emitter &e, Numbers v) { return convert(v[0], e.i32()); });
  RowNode node(RowNode::Columns, {value, last32});
  node.beyondLimit = otherwise;
  node.block = [otherwise](const BlockPlace &at, ArrayRef<Vectors> v) {
    Vectors result;
    for (unsigned i = 0; i < at.shape.vectors; ++i)
      result.push_back(select(at.columns(i) <= v[1][0], v[0][i], otherwise));
    return result;
  };
  return add(std::move(node), firstPass);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Results
//===--------------------------------------------------------------------------------------------------------------===//

void RowProgram::result(Value result, ArrayRef<RowValue> numbers) {
  Type element = cast<RankedTensorType>(result.getType()).getElementType();
  // The rounded result is a node of its own, since it gets a place in memory and a pass.
  for (RowValue value : numbers)
    values[result].push_back(map({value}, [element](Emitter &, Numbers v) { return roundTo(v[0], element); }));
}

void RowProgram::sumRows(Value result, Reduction reduction, ArrayRef<RowValue> operands, int64_t rows) {
  if (rowsOfPart && rowsOfPart != rows)
    return kernel.refuse(current, "sums other parts of the rows than another op of its kernel");
  rowsOfPart = rows;
  RowNode node(RowNode::RowSum, operands);
  node.reduction = reduction;
  values[result] = {add(std::move(node), firstPass)};
}

void RowProgram::beginOp(Operation *op) {
  current = op;
  firstPass = 0;
  for (Value operand : op->getOperands())
    if (Operation *producer = operand.getDefiningOp())
      firstPass = std::max(firstPass, lastPass.lookup(producer));
}

void RowProgram::endOp(Operation *op) {
  unsigned last = firstPass + cast<KernelOpInterface>(op).getReductionPasses();
  for (Value result : op->getResults()) {
    assert(values.contains(result) && "an op's lowering gives all of its results");
    for (RowValue value : values[result])
      last = std::max(last, value->pass + (value->kind == RowNode::Reduce ? 1 : 0));
  }
  lastPass[op] = last;
  // All results of an op are stored together, in the last of its passes.
  for (Value result : op->getResults()) {
    ArrayRef<RowValue> numbers = values[result];
    bool isColumns = numbers[0]->kind == RowNode::Columns;
    for (RowValue part : numbers)
      if (isColumns)
        part->pass = last;
    passes = std::max(passes, last + 1);
    for (const Buffer *buffer : kernel.outputs(result))
      isColumns ? store(buffer, numbers) : storeNumbers(buffer, numbers);
  }
}

void RowProgram::store(const Buffer *buffer, ArrayRef<RowValue> parts) {
  std::optional<RowPlaces> places = RowPlaces::find(*buffer, kernel.rows, parts.size() * kernel.columns);
  if (!places)
    return kernel.refuse(current, "writes a buffer whose rows do not follow each other");
  for (auto [part, value] : llvm::enumerate(parts)) {
    if (value->home < 0)
      value->home = stores.size();
    stores.push_back({buffer, value, startOf(number, *places, part)});
  }
}

void RowProgram::storeNumbers(const Buffer *buffer, ArrayRef<RowValue> numbers) {
  if (!buffer->isContiguous())
    return kernel.refuse(current, "writes a buffer whose elements do not follow each other");
  for (auto [element, value] : llvm::enumerate(numbers))
    stores.push_back({buffer, value, elementOf(element, numbers.size())});
}

void RowProgram::finish() {
  // Copy inputs that the kernel returns unchanged.
  llvm::SmallDenseSet<Value> seen;
  current = kernel.op;
  firstPass = 0;
  for (Value yielded : kernel.op.getBody().front().back().getOperands())
    if (isa<BlockArgument>(yielded) && seen.insert(yielded).second)
      for (const Buffer *buffer : kernel.outputs(yielded))
        store(buffer, parts(yielded));
  if (limitsDiffer)
    limit = nullptr;
}
