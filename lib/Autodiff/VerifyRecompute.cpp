//===- VerifyRecompute.cpp - A recomputation is a forward op once more --------------------------------------------===//
//
// The verifier numbers values as value numbering does: two ops get the same number if their name, attributes, result
// types, layer, path and the numbers of their operands agree. A recompute op is correct if a forward op has its number.
// It follows that each of its operands is the forward op's operand or a recomputation of it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Functions.h"

#include "llvm/Support/raw_ostream.h"

#include <map>
#include <tuple>

using namespace mlir;
using namespace tx;

DictionaryAttr tx::formOf(Operation *op) {
  NamedAttrList form(dyn_cast_or_null<DictionaryAttr>(op->getPropertiesAsAttribute()));
  form.erase("scope");
  return form.getDictionary(op->getContext());
}

static Segment segmentOf(ScopedOpInterface op) { return op.getScope().getSegment(); }

namespace {

/// The properties in which ops of one number agree.
struct Key {
  const void *name;
  DictionaryAttr form, others;          ///< `form`: inherent attributes, `others`: discardable attributes
  ScopeAttr place;                      ///< the op's scope, with its segment set to forward
  SmallVector<const void *, 4> results; ///< types
  SmallVector<unsigned, 4> operands;    ///< numbers

  bool operator<(const Key &other) const {
    auto all = [](const Key &key) {
      return std::make_tuple(key.name, key.form.getAsOpaquePointer(), key.others.getAsOpaquePointer(),
                             key.place.getAsOpaquePointer(), std::cref(key.results), std::cref(key.operands));
    };
    return all(*this) < all(other);
  }
};

struct Known {
  unsigned number;  ///< the number of the first result; the numbers of the other results follow it
  unsigned ops = 1; ///< how many forward ops have this number
  unsigned recomputations = 0;
};

class RecomputeVerifier {
public:
  LogicalResult run(func::FuncOp function) {
    for (Operation &op : function.front()) {
      auto scoped = dyn_cast<ScopedOpInterface>(op);
      if (scoped && segmentOf(scoped) == Segment::Recompute) {
        if (failed(recompute(scoped)))
          return failure();
      } else if (scoped && segmentOf(scoped) == Segment::Forward) {
        addForward(scoped);
      }
    }
    // Reported last: if somebody edits an operand of a recompute op, the old operand's producer has no use; the edit is
    // the error.
    if (unused)
      return unused->emitOpError("is recomputed for no use, at ") << unused.getScope().str();
    return success();
  }

private:
  void addForward(ScopedOpInterface op) {
    Key key = keyOf(op); // keyOf may number operands, so it comes before `next` is read
    auto [known, isNew] = table.try_emplace(std::move(key), Known{next});
    if (isNew)
      next += op->getNumResults();
    else
      ++known->second.ops;
    number(op, known->second);
    forward[op->getName()].push_back(op);
  }

  LogicalResult recompute(ScopedOpInterface op) {
    auto replayed = dyn_cast<RecomputeOpInterface>(op.getOperation());
    if (!replayed || replayed.getReplayKind() == ReplayKind::Never)
      return op->emitOpError("is a recomputation at ") << op.getScope().str() << ", but must happen once";
    Key key = keyOf(op);
    auto known = table.find(key);
    if (known == table.end())
      return refuse(op, key);
    // If several forward ops have this number, each may have one recomputation.
    if (++known->second.recomputations > known->second.ops)
      return op->emitOpError("recomputes what is recomputed before, at ") << op.getScope().str();
    if (op->use_empty() && !unused)
      unused = op;
    number(op, known->second);
    return success();
  }

  void number(Operation *op, const Known &known) {
    for (OpResult result : op->getResults())
      numbers[result] = known.number + result.getResultNumber();
  }

  /// The number of a value. Arguments, loaded globals and results of backward ops get a new number each.
  unsigned numberOf(Value value) {
    auto [known, isNew] = numbers.try_emplace(value, next);
    next += isNew;
    return known->second;
  }

  Key keyOf(ScopedOpInterface op) {
    Key key{op->getName().getAsOpaquePointer(), formOf(op), op->getDiscardableAttrDictionary(),
            op.getScope().in(Segment::Forward), {},         {}};
    for (Type type : op->getResultTypes())
      key.results.push_back(type.getAsOpaquePointer());
    for (Value operand : op->getOperands())
      key.operands.push_back(numberOf(operand));
    return key;
  }

  //===--------------------------------------------------------------------===//
  // Which forward op was meant, and what differs from it
  //===--------------------------------------------------------------------===//

  /// How much two ops have in common. Equal operands count twice as much as equal attributes, place or types: somebody
  /// who edits a clone changes one of its parts and leaves the others.
  static int likeness(const Key &a, const Key &b) {
    int shared = (a.form == b.form) + (a.others == b.others) + (a.place == b.place) + (a.results == b.results);
    for (auto [x, y] : llvm::zip(a.operands, b.operands))
      shared += 2 * (x == y);
    return shared;
  }

  LogicalResult refuse(ScopedOpInterface op, const Key &key) {
    ScopedOpInterface original;
    int most = -1;
    for (ScopedOpInterface candidate : forward.lookup(op->getName()))
      if (int shared = likeness(key, keyOf(candidate)); shared > most) {
        most = shared;
        original = candidate;
      }
    InFlightDiagnostic diagnostic = op->emitOpError("at ") << op.getScope().str() << " recomputes no forward op: ";
    if (!original)
      return diagnostic << "forward has no " << op->getName();
    diagnostic << "the " << op->getName() << " at " << original.getScope().str() << " has ";
    return describeDifference(diagnostic, key, original);
  }

  LogicalResult describeDifference(InFlightDiagnostic &diagnostic, const Key &key, ScopedOpInterface original) {
    Key there = keyOf(original);
    if (key.operands.size() != there.operands.size())
      return diagnostic << there.operands.size() << " operands, not " << key.operands.size();
    for (auto [index, pair] : llvm::enumerate(llvm::zip(key.operands, there.operands)))
      if (std::get<0>(pair) != std::get<1>(pair))
        return diagnostic << "another operand " << index
                          << "; a recomputation takes the same values, or recomputations of them";
    if (key.place != there.place)
      return diagnostic << "another place; a recomputation stands where its forward op does";
    if (key.results != there.results)
      return diagnostic << "results of other types";
    for (auto [here, forward] : {std::pair(key.form, there.form), std::pair(key.others, there.others)})
      for (DictionaryAttr either : {here, forward})
        for (NamedAttribute attribute : either)
          if (StringAttr name = attribute.getName(); here.get(name) != forward.get(name))
            return diagnostic << name.getValue() << " = " << textOf(forward.get(name)) << ", the recomputation "
                              << textOf(here.get(name));
    llvm_unreachable("ops that differ in nothing have one number");
  }

  static std::string textOf(Attribute attribute) {
    std::string text = "none";
    if (attribute) {
      text.clear();
      llvm::raw_string_ostream(text) << attribute;
    }
    return text;
  }

  ScopedOpInterface unused; ///< the first recomputation that nobody reads
  std::map<Key, Known> table;
  DenseMap<Value, unsigned> numbers;
  llvm::DenseMap<OperationName, SmallVector<ScopedOpInterface>> forward;
  unsigned next = 0;
};

} // namespace

LogicalResult tx::verifyRecompute(func::FuncOp function) {
  bool recomputes = llvm::any_of(function.front().getOps<ScopedOpInterface>(),
                                 [](ScopedOpInterface op) { return segmentOf(op) == Segment::Recompute; });
  return recomputes ? RecomputeVerifier().run(function) : success();
}
