//===- Order.h - In which order ops run, while they move ------------------------------------------------*- C++ -*-===//
//
//   Order order(count);        // op 0 first, then op 1, and so on
//   if (order.isBefore(a, b))
//     order.moveAfter(a, b);   // takes the same time however many ops there are
//   for (int op : order)
//     ...
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PLAN_ORDER_H
#define TX_LIB_PLAN_ORDER_H

#include <cstdint>
#include <vector>

namespace tx::plan {

/// A ring of ops, linked both ways. It begins and ends at a mark, the number behind all ops.
class Order {
public:
  explicit Order(int count) : mark(count), nextOf(count + 1), previousOf(count + 1), places(count + 1) {
    for (int op = 0; op <= count; ++op)
      link(op, op == count ? 0 : op + 1);
    number();
  }

  class Iterator {
  public:
    Iterator(const Order &order, int op) : order(order), op(op) {}
    int operator*() const { return op; }
    Iterator &operator++() {
      op = order.nextOf[op];
      return *this;
    }
    bool operator!=(const Iterator &other) const { return op != other.op; }

  private:
    const Order &order;
    int op;
  };
  Iterator begin() const { return {*this, nextOf[mark]}; }
  Iterator end() const { return {*this, mark}; }

  bool isBefore(int a, int b) const { return places[a] < places[b]; }

  void moveBefore(int op, int next) {
    unlink(op);
    insert(op, previousOf[next], next);
  }
  void moveAfter(int op, int previous) {
    unlink(op);
    insert(op, previous, nextOf[previous]);
  }

private:
  static constexpr int64_t kDistance = int64_t(1) << 32;

  void link(int a, int b) {
    nextOf[a] = b;
    previousOf[b] = a;
  }
  void unlink(int op) { link(previousOf[op], nextOf[op]); }

  /// A moved op gets a place between those of its neighbours.
  void insert(int op, int previous, int next) {
    link(previous, op);
    link(op, next);
    int64_t before = previous == mark ? 0 : places[previous];
    places[op] = before + (places[next] - before) / 2;
    if (places[next] - before < 2)
      number();
  }

  void number() {
    int64_t place = 0;
    for (int op : *this)
      places[op] = place += kDistance;
    places[mark] = place + kDistance;
  }

  int mark;
  std::vector<int> nextOf, previousOf;
  std::vector<int64_t> places;
};

} // namespace tx::plan

#endif // TX_LIB_PLAN_ORDER_H
