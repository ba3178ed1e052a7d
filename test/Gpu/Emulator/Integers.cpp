//===- Integers.cpp - Integers, bits, comparisons of them, moves --------------------------------------------------===//

#include "Lanes.h"

using namespace ptx;

namespace {

// Wrapping, whatever the sign.
template <typename T> struct Arithmetic {
  using U = std::make_unsigned_t<T>;
  static constexpr unsigned kBits = 8 * sizeof(T);
  static T add(T a, T b) { return static_cast<T>(U(a) + U(b)); }
  static T sub(T a, T b) { return static_cast<T>(U(a) - U(b)); }
  static T mulLow(T a, T b) { return static_cast<T>(uint64_t(a) * uint64_t(b)); }
  static T mulHigh(T a, T b) {
    if constexpr (std::is_signed_v<T>)
      return static_cast<T>(static_cast<__int128>(a) * b >> kBits);
    else
      return static_cast<T>(static_cast<unsigned __int128>(a) * b >> kBits);
  }
  static T madLow(T a, T b, T c) { return add(mulLow(a, b), c); }
  static T madHigh(T a, T b, T c) { return add(mulHigh(a, b), c); }
  // By zero: unspecified, as all bits here.
  static T div(T a, T b) { return b == 0 ? T(-1) : b == T(-1) && std::is_signed_v<T> ? sub(0, a) : T(a / b); }
  static T rem(T a, T b) { return b == 0 ? a : b == T(-1) && std::is_signed_v<T> ? T(0) : T(a % b); }
  static T min(T a, T b) { return a < b ? a : b; }
  static T max(T a, T b) { return a > b ? a : b; }
  static T negate(T a) { return sub(0, a); }
  static T absolute(T a) { return a < 0 ? sub(0, a) : a; }
  static T bitAnd(T a, T b) { return a & b; }
  static T bitOr(T a, T b) { return a | b; }
  static T bitXor(T a, T b) { return a ^ b; }
  static T bitNot(T a) { return static_cast<T>(~a); }
  // Shifts by more than the width give what is left of the bits: none, or signs.
  static T shiftLeft(T a, uint32_t by) { return by >= kBits ? T(0) : static_cast<T>(U(a) << by); }
  static T shiftRight(T a, uint32_t by) {
    return static_cast<T>(a >> (by >= kBits ? kBits - 1 : by)) >> (by >= kBits && !std::is_signed_v<T>);
  }
  static T extract(T a, uint32_t at, uint32_t length) {
    at &= 0xff, length &= 0xff;
    if (length == 0)
      return 0;
    U value = at >= kBits ? 0 : U(a) >> at;
    uint32_t top = at + length - 1 < kBits ? at + length - 1 : kBits - 1;
    bool sign = std::is_signed_v<T> && (U(a) >> top & 1);
    if (length < kBits)
      value &= (U(1) << length) - 1;
    unsigned have = at >= kBits ? 0 : kBits - at < length ? kBits - at : length;
    return static_cast<T>(sign && have < kBits ? value | ~U(0) << have : value);
  }
  static uint8_t less(T a, T b) { return a < b; }
  static uint8_t lessEqual(T a, T b) { return a <= b; }
  static uint8_t greater(T a, T b) { return a > b; }
  static uint8_t greaterEqual(T a, T b) { return a >= b; }
  static uint8_t equal(T a, T b) { return a == b; }
  static uint8_t unequal(T a, T b) { return a != b; }
};

template <typename W, typename T> W mulWide(T a, T b) { return static_cast<W>(a) * static_cast<W>(b); }
template <typename W, typename T> W madWide(T a, T b, W c) {
  return Arithmetic<W>::add(static_cast<W>(a) * static_cast<W>(b), c);
}

template <typename T> T choose(T a, T b, uint8_t first) { return first & 1 ? a : b; }
template <typename T> T chooseBySign(T a, T b, int32_t c) { return c >= 0 ? a : b; }
template <typename T> T same(T a) { return a; }

uint32_t funnelLeft(uint32_t low, uint32_t high, uint32_t by) {
  return static_cast<uint32_t>((uint64_t(high) << 32 | low) << by >> 32);
}
uint32_t funnelRight(uint32_t low, uint32_t high, uint32_t by) {
  return static_cast<uint32_t>((uint64_t(high) << 32 | low) >> by);
}
uint32_t funnelLeftWrap(uint32_t a, uint32_t b, uint32_t by) { return funnelLeft(a, b, by & 31); }
uint32_t funnelRightWrap(uint32_t a, uint32_t b, uint32_t by) { return funnelRight(a, b, by & 31); }
uint32_t funnelLeftClamp(uint32_t a, uint32_t b, uint32_t by) { return funnelLeft(a, b, by < 32 ? by : 32); }
uint32_t funnelRightClamp(uint32_t a, uint32_t b, uint32_t by) { return funnelRight(a, b, by < 32 ? by : 32); }

uint32_t permuteBytes(uint32_t a, uint32_t b, uint32_t selector) {
  uint64_t bytes = uint64_t(b) << 32 | a;
  uint32_t result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    uint32_t choice = selector >> 4 * i & 15, byte = bytes >> 8 * (choice & 7) & 255;
    if (choice & 8) // its sign, eight times
      byte = byte & 128 ? 255 : 0;
    result |= byte << 8 * i;
  }
  return result;
}

void lop3(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  const uint64_t *operand[4];
  for (unsigned i = 0; i < 4; ++i)
    operand[i] = warp.slot(instruction.slots[1 + i]);
  uint64_t *to = warp.slot(instruction.slots[0]);
  forLanes(lanes, [&](unsigned lane) {
    auto a = uint32_t(operand[0][lane]), b = uint32_t(operand[1][lane]), c = uint32_t(operand[2][lane]);
    auto table = uint32_t(operand[3][lane]);
    uint32_t result = 0;
    for (unsigned i = 0; i < 8; ++i)
      if (table >> i & 1)
        result |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
    to[lane] = result;
  });
}

void insertBits(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  uint64_t *to = warp.slot(instruction.slots[0]);
  const uint64_t *from = warp.slot(instruction.slots[1]), *into = warp.slot(instruction.slots[2]),
                 *at = warp.slot(instruction.slots[3]), *length = warp.slot(instruction.slots[4]);
  forLanes(lanes, [&](unsigned lane) {
    uint64_t position = at[lane] & 255, bits = length[lane] & 255;
    uint64_t mask = position >= 32 ? 0 : ((bits >= 32 ? 0xffffffffu : (1u << bits) - 1) << position) & 0xffffffffu;
    to[lane] = (uint32_t(into[lane]) & ~mask) | (uint64_t(uint32_t(from[lane])) << (position & 31) & mask);
  });
}

uint32_t countOnes32(uint32_t a) { return static_cast<uint32_t>(__builtin_popcount(a)); }
uint32_t countOnes64(uint64_t a) { return static_cast<uint32_t>(__builtin_popcountll(a)); }
uint32_t leadingZeros32(uint32_t a) { return a ? static_cast<uint32_t>(__builtin_clz(a)) : 32; }
uint32_t leadingZeros64(uint64_t a) { return a ? static_cast<uint32_t>(__builtin_clzll(a)) : 64; }
uint32_t reversed32(uint32_t a) {
  uint32_t result = 0;
  for (unsigned i = 0; i < 32; ++i)
    result |= (a >> i & 1) << (31 - i);
  return result;
}
uint8_t notPredicate(uint8_t a) { return !(a & 1); }

/// mov of equal parts to a whole, or of a whole to its parts.
template <unsigned bits, unsigned parts> void join(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  forLanes(lanes, [&](unsigned lane) {
    uint64_t whole = 0;
    for (unsigned i = 0; i < parts; ++i)
      whole |= (warp.slot(instruction.slots[1 + i])[lane] & ((uint64_t(1) << bits) - 1)) << bits * i;
    warp.slot(instruction.slots[0])[lane] = whole;
  });
}
template <unsigned bits, unsigned parts> void split(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  forLanes(lanes, [&](unsigned lane) {
    uint64_t whole = warp.slot(instruction.slots[parts])[lane];
    for (unsigned i = 0; i < parts; ++i)
      warp.slot(instruction.slots[i])[lane] = whole >> bits * i & ((uint64_t(1) << bits) - 1);
  });
}

template <typename T> void addType(Table &table, const std::string &type) {
  using A = Arithmetic<T>;
  auto two = [&](const std::string &name, Execute execute) { table[name + type] = {execute, 1, 2}; };
  auto three = [&](const std::string &name, Execute execute) { table[name + type] = {execute, 1, 3}; };
  two("add.", binary<T, T, T, A::add>);
  two("sub.", binary<T, T, T, A::sub>);
  two("mul.lo.", binary<T, T, T, A::mulLow>);
  two("mul.hi.", binary<T, T, T, A::mulHigh>);
  three("mad.lo.", ternary<T, T, T, T, A::madLow>);
  three("mad.hi.", ternary<T, T, T, T, A::madHigh>);
  two("div.", binary<T, T, T, A::div>);
  two("rem.", binary<T, T, T, A::rem>);
  two("min.", binary<T, T, T, A::min>);
  two("max.", binary<T, T, T, A::max>);
  two("shr.", binary<T, T, uint32_t, A::shiftRight>);
  three("bfe.", ternary<T, T, uint32_t, uint32_t, A::extract>);
  table["mov." + type] = {unary<T, T, same<T>>, 1, 1};
  table["neg." + type] = {unary<T, T, A::negate>, 1, 1};
  table["abs." + type] = {unary<T, T, A::absolute>, 1, 1};
  const std::pair<const char *, Execute> comparisons[] = {
      {"lt", binary<uint8_t, T, T, A::less>},    {"le", binary<uint8_t, T, T, A::lessEqual>},
      {"gt", binary<uint8_t, T, T, A::greater>}, {"ge", binary<uint8_t, T, T, A::greaterEqual>},
      {"lo", binary<uint8_t, T, T, A::less>},    {"ls", binary<uint8_t, T, T, A::lessEqual>},
      {"hi", binary<uint8_t, T, T, A::greater>}, {"hs", binary<uint8_t, T, T, A::greaterEqual>},
      {"eq", binary<uint8_t, T, T, A::equal>},   {"ne", binary<uint8_t, T, T, A::unequal>},
  };
  for (auto [name, execute] : comparisons)
    table[std::string("setp.") + name + "." + type] = {execute, 1, 2};
  three("selp.", ternary<T, T, T, uint8_t, choose<T>>);
  table["slct." + type + ".s32"] = {ternary<T, T, T, int32_t, chooseBySign<T>>, 1, 3};
}

template <typename T> void addBits(Table &table, const std::string &type) {
  using A = Arithmetic<T>;
  table["and." + type] = {binary<T, T, T, A::bitAnd>, 1, 2};
  table["or." + type] = {binary<T, T, T, A::bitOr>, 1, 2};
  table["xor." + type] = {binary<T, T, T, A::bitXor>, 1, 2};
  table["not." + type] = {unary<T, T, A::bitNot>, 1, 1};
  table["shl." + type] = {binary<T, T, uint32_t, A::shiftLeft>, 1, 2};
  table["shr." + type] = {binary<T, T, uint32_t, A::shiftRight>, 1, 2};
  table["mov." + type] = {unary<T, T, same<T>>, 1, 1};
  table["setp.eq." + type] = {binary<uint8_t, T, T, A::equal>, 1, 2};
  table["setp.ne." + type] = {binary<uint8_t, T, T, A::unequal>, 1, 2};
  table["selp." + type] = {ternary<T, T, T, uint8_t, choose<T>>, 1, 3};
}

template <typename W, typename T> void addWide(Table &table, const std::string &type) {
  table["mul.wide." + type] = {binary<W, T, T, mulWide<W, T>>, 1, 2};
  table["mad.wide." + type] = {ternary<W, T, T, W, madWide<W, T>>, 1, 3};
}

} // namespace

void ptx::addIntegers(Table &table) {
  addType<uint16_t>(table, "u16");
  addType<int16_t>(table, "s16");
  addType<uint32_t>(table, "u32");
  addType<int32_t>(table, "s32");
  addType<uint64_t>(table, "u64");
  addType<int64_t>(table, "s64");
  addBits<uint16_t>(table, "b16");
  addBits<uint32_t>(table, "b32");
  addBits<uint64_t>(table, "b64");
  addWide<uint32_t, uint16_t>(table, "u16");
  addWide<int32_t, int16_t>(table, "s16");
  addWide<uint64_t, uint32_t>(table, "u32");
  addWide<int64_t, int32_t>(table, "s32");

  using Predicate = Arithmetic<uint8_t>;
  table["and.pred"] = {binary<uint8_t, uint8_t, uint8_t, Predicate::bitAnd>, 1, 2};
  table["or.pred"] = {binary<uint8_t, uint8_t, uint8_t, Predicate::bitOr>, 1, 2};
  table["xor.pred"] = {binary<uint8_t, uint8_t, uint8_t, Predicate::bitXor>, 1, 2};
  table["not.pred"] = {unary<uint8_t, uint8_t, notPredicate>, 1, 1};
  table["mov.pred"] = {unary<uint8_t, uint8_t, same<uint8_t>>, 1, 1};

  table["shf.l.wrap.b32"] = {ternary<uint32_t, uint32_t, uint32_t, uint32_t, funnelLeftWrap>, 1, 3};
  table["shf.r.wrap.b32"] = {ternary<uint32_t, uint32_t, uint32_t, uint32_t, funnelRightWrap>, 1, 3};
  table["shf.l.clamp.b32"] = {ternary<uint32_t, uint32_t, uint32_t, uint32_t, funnelLeftClamp>, 1, 3};
  table["shf.r.clamp.b32"] = {ternary<uint32_t, uint32_t, uint32_t, uint32_t, funnelRightClamp>, 1, 3};
  table["prmt.b32"] = {ternary<uint32_t, uint32_t, uint32_t, uint32_t, permuteBytes>, 1, 3};
  table["lop3.b32"] = {lop3, 1, 4};
  table["bfi.b32"] = {insertBits, 1, 4};
  table["popc.b32"] = {unary<uint32_t, uint32_t, countOnes32>, 1, 1};
  table["popc.b64"] = {unary<uint32_t, uint64_t, countOnes64>, 1, 1};
  table["clz.b32"] = {unary<uint32_t, uint32_t, leadingZeros32>, 1, 1};
  table["clz.b64"] = {unary<uint32_t, uint64_t, leadingZeros64>, 1, 1};
  table["brev.b32"] = {unary<uint32_t, uint32_t, reversed32>, 1, 1};

  table["mov.b64"].halves = Halves::Apart;

  // As the parser calls moves with braces.
  table["mov.join.b32.2"] = {join<16, 2>, 1, 2};
  table["mov.join.b64.2"] = {join<32, 2>, 1, 2, Control::Next, 0, Halves::Joined};
  table["mov.join.b64.4"] = {join<16, 4>, 1, 4};
  table["mov.split.b32.2"] = {split<16, 2>, 2, 1};
  table["mov.split.b64.2"] = {split<32, 2>, 2, 1, Control::Next, 0, Halves::Split};
  table["mov.split.b64.4"] = {split<16, 4>, 4, 1};
}
