// Each class of instructions, with values that follow from the PTX ISA's text.

#include "Floats.h"
#include "TestKernel.h"

#include <gtest/gtest.h>

using namespace ptx;

namespace {

/// One instruction on up to three operands. Its names are %a %b %c and %x, which stand for registers of the kinds
/// `kinds` says, the result's first: h, r, d or p.
uint64_t evaluate(std::string text, const std::string &kinds, std::vector<uint64_t> operands) {
  std::string body;
  const char *names[] = {"%x", "%a", "%b", "%c"};
  for (size_t i = 0; i < kinds.size(); ++i) {
    const std::string reg = std::string("%") + kinds[i] + std::to_string(i + 2), wide = "%d" + std::to_string(i + 20);
    for (size_t at = 0; (at = text.find(names[i], at)) != std::string::npos;)
      text.replace(at, 2, reg);
    if (i == 0)
      continue;
    body += "ld.global.b64 " + wide + ", [%d0+" + std::to_string(8 * (i - 1)) + "];\n";
    body += kinds[i] == 'p' ? "setp.ne.b64 " + reg + ", " + wide + ", 0;\n"
            : kinds[i] == 'd'
                ? "mov.b64 " + reg + ", " + wide + ";\n"
                : std::string("cvt.u") + (kinds[i] == 'h' ? "16" : "32") + ".u64 " + reg + ", " + wide + ";\n";
  }
  body += text + "\n";
  body += kinds[0] == 'p'   ? "selp.b64 %d30, 1, 0, %p2;\n"
          : kinds[0] == 'd' ? "mov.b64 %d30, %d2;\n"
                            : std::string("cvt.u64.u") + (kinds[0] == 'h' ? "16 %d30, %h2;\n" : "32 %d30, %r2;\n");
  TestRun run(body + "st.global.b64 [%d1], %d30;", operands);
  EXPECT_EQ(run.error, "");
  return run.out[0];
}

uint64_t bits(float value) { return bitsOf(value); }
uint64_t bits(double value) {
  uint64_t result;
  std::memcpy(&result, &value, 8);
  return result;
}
const uint64_t kNan = 0x7fffffff;
const float kInfinity = std::numeric_limits<float>::infinity(), kDenormal = 1e-40f;

} // namespace

TEST(Instructions, IntegersWrap) {
  EXPECT_EQ(evaluate("add.s32 %x, %a, %b;", "rrr", {0x7fffffff, 1}), 0x80000000);
  EXPECT_EQ(evaluate("sub.s64 %x, %a, %b;", "ddd", {0, 1}), ~uint64_t(0));
  EXPECT_EQ(evaluate("mul.lo.s32 %x, %a, %b;", "rrr", {0x10001, 0x10001}), 0x20001);
  EXPECT_EQ(evaluate("mul.hi.u32 %x, %a, %b;", "rrr", {0xD2511F53, 0xffffffff}), 0xD2511F52);
  EXPECT_EQ(evaluate("mul.hi.s32 %x, %a, %b;", "rrr", {0xffffffff, 1}), 0xffffffff);
  EXPECT_EQ(evaluate("mul.wide.u32 %x, %a, %b;", "drr", {0xffffffff, 2}), 0x1fffffffe);
  EXPECT_EQ(evaluate("mul.wide.s32 %x, %a, %b;", "drr", {0xffffffff, 2}), uint64_t(-2));
  EXPECT_EQ(evaluate("mad.lo.s64 %x, %a, %b, %c;", "dddd", {3, 5, 7}), 22u);
  EXPECT_EQ(evaluate("mad.wide.u32 %x, %a, %b, %c;", "drrd", {0x80000000, 4, 1}), 0x200000001);
  EXPECT_EQ(evaluate("div.s32 %x, %a, %b;", "rrr", {uint64_t(-7), 2}), uint32_t(-3));
  EXPECT_EQ(evaluate("rem.s32 %x, %a, %b;", "rrr", {uint64_t(-7), 2}), uint32_t(-1));
  EXPECT_EQ(evaluate("min.s32 %x, %a, %b;", "rrr", {0xffffffff, 1}), 0xffffffff);
  EXPECT_EQ(evaluate("min.u32 %x, %a, %b;", "rrr", {0xffffffff, 1}), 1u);
  EXPECT_EQ(evaluate("abs.s32 %x, %a;", "rr", {uint32_t(-5)}), 5u);
}

TEST(Instructions, BitsAndShifts) {
  EXPECT_EQ(evaluate("shl.b32 %x, %a, %b;", "rrr", {1, 31}), 0x80000000);
  EXPECT_EQ(evaluate("shl.b32 %x, %a, %b;", "rrr", {1, 32}), 0u);
  EXPECT_EQ(evaluate("shr.u32 %x, %a, %b;", "rrr", {0x80000000, 40}), 0u);
  EXPECT_EQ(evaluate("shr.s32 %x, %a, %b;", "rrr", {0x80000000, 40}), 0xffffffff);
  EXPECT_EQ(evaluate("shr.u64 %x, %a, %b;", "ddr", {~uint64_t(0), 64}), 0u);
  EXPECT_EQ(evaluate("shf.l.wrap.b32 %x, %a, %b, %c;", "rrrr", {0x80000000, 1, 33}), 3u);
  EXPECT_EQ(evaluate("shf.r.clamp.b32 %x, %a, %b, %c;", "rrrr", {5, 6, 40}), 6u);
  EXPECT_EQ(evaluate("prmt.b32 %x, %a, %b, %c;", "rrrr", {0x33221100, 0x77665544, 0x7410}), 0x77441100);
  EXPECT_EQ(evaluate("prmt.b32 %x, %a, %b, %c;", "rrrr", {0x80, 0, 0x1118}), 0x000000ff);
  EXPECT_EQ(evaluate("lop3.b32 %x, %a, %b, %c, 0x96;", "rrrr", {0xf0, 0xcc, 0xaa}), 0xf0u ^ 0xcc ^ 0xaa);
  EXPECT_EQ(evaluate("bfe.u32 %x, %a, 8, 4;", "rr", {0xabcd}), 0xbu);
  EXPECT_EQ(evaluate("bfe.s32 %x, %a, 8, 4;", "rr", {0xabcd}), 0xfffffffb);
  EXPECT_EQ(evaluate("bfi.b32 %x, %a, %b, 8, 4;", "rrr", {0xff, 0}), 0xf00u);
  EXPECT_EQ(evaluate("popc.b32 %x, %a;", "rr", {0xff00ff}), 16u);
  EXPECT_EQ(evaluate("clz.b32 %x, %a;", "rr", {0}), 32u);
  EXPECT_EQ(evaluate("brev.b32 %x, %a;", "rr", {1}), 0x80000000);
  EXPECT_EQ(evaluate("mov.b64 %x, {%a, %b};", "drr", {1, 2}), 0x200000001);
  EXPECT_EQ(evaluate("{ .reg .b32 low; mov.b64 {low, %x}, %a; }", "rd", {0x300000004}), 3u);
  EXPECT_EQ(evaluate("mov.b32 {_, %x}, %a;", "hr", {0x00070006}), 7u);
}

TEST(Instructions, ChoicesAndPredicates) {
  EXPECT_EQ(evaluate("setp.lt.s32 %x, %a, %b;", "prr", {0xffffffff, 0}), 1u);
  EXPECT_EQ(evaluate("setp.lt.u32 %x, %a, %b;", "prr", {0xffffffff, 0}), 0u);
  EXPECT_EQ(evaluate("setp.lt.f32 %x, %a, %b;", "prr", {kNan, 0}), 0u);
  EXPECT_EQ(evaluate("setp.ltu.f32 %x, %a, %b;", "prr", {kNan, 0}), 1u);
  EXPECT_EQ(evaluate("setp.ne.f32 %x, %a, %b;", "prr", {kNan, 0}), 0u);
  EXPECT_EQ(evaluate("setp.neu.f32 %x, %a, %b;", "prr", {kNan, 0}), 1u);
  EXPECT_EQ(evaluate("setp.nan.f32 %x, %a, %a;", "pr", {kNan}), 1u);
  EXPECT_EQ(evaluate("setp.eq.ftz.f32 %x, %a, %b;", "prr", {bits(kDenormal), 0}), 1u);
  EXPECT_EQ(evaluate("selp.b32 %x, %a, %b, %c;", "rrrp", {1, 2, 1}), 1u);
  EXPECT_EQ(evaluate("not.pred %x, %a;", "pp", {1}), 0u);
  EXPECT_EQ(evaluate("mov.pred %x, -1;", "p", {0}), 1u);
  EXPECT_EQ(evaluate("mov.b32 %x, 1; @!%a mov.b32 %x, 2;", "rp", {1}), 1u);
}

TEST(Instructions, FloatsRoundAndFlush) {
  EXPECT_EQ(evaluate("add.rn.f32 %x, %a, %b;", "rrr", {bits(1.0f), bits(5.9604645e-8f)}), bits(1.0f)); // a tie, to even
  EXPECT_EQ(evaluate("fma.rn.f32 %x, %a, %b, %c;", "rrrr", {bits(1 + 0x1p-12f), bits(1 - 0x1p-12f), bits(-1.0f)}),
            bits(-0x1p-24f));
  EXPECT_EQ(evaluate("mul.rn.f32 %x, %a, %b;", "rrr", {bits(0.5f), bits(kDenormal)}), bits(0.5f * kDenormal));
  EXPECT_EQ(evaluate("mul.rn.ftz.f32 %x, %a, %b;", "rrr", {bits(-0.5f), bits(kDenormal)}), 0x80000000);
  EXPECT_EQ(evaluate("add.rn.f32 %x, %a, %b;", "rrr", {bits(kInfinity), bits(-kInfinity)}), kNan);
  EXPECT_EQ(evaluate("div.rn.f32 %x, %a, %b;", "rrr", {bits(1.0f), bits(3.0f)}), bits(1.0f / 3));
  EXPECT_EQ(evaluate("rcp.rn.f32 %x, %a;", "rr", {bits(-0.0f)}), bits(-kInfinity));
  EXPECT_EQ(evaluate("sqrt.rn.f32 %x, %a;", "rr", {bits(2.0f)}), bits(std::sqrt(2.0f)));
  EXPECT_EQ(evaluate("ex2.approx.ftz.f32 %x, %a;", "rr", {bits(-149.0f)}), 0u);
  EXPECT_EQ(evaluate("lg2.approx.f32 %x, %a;", "rr", {0}), bits(-kInfinity));
  EXPECT_EQ(evaluate("neg.f32 %x, %a;", "rr", {bits(0.0f)}), bits(-0.0f));
  EXPECT_EQ(evaluate("copysign.f32 %x, %a, %b;", "rrr", {bits(-1.0f), bits(3.0f)}), bits(-3.0f));
  EXPECT_EQ(evaluate("fma.rn.f64 %x, %a, %b, %c;", "dddd", {bits(2.0), bits(3.0), bits(0.5)}), bits(6.5));
}

TEST(Instructions, PairsOfFloats) {
  const uint64_t a = bits(2.0f) << 32 | bits(1.0f), b = bits(0.5f) << 32 | bits(3.0f);
  EXPECT_EQ(evaluate("add.rn.f32x2 %x, %a, %b;", "ddd", {a, b}), bits(2.5f) << 32 | bits(4.0f));
  EXPECT_EQ(evaluate("fma.rn.f32x2 %x, %a, %b, %c;", "dddd", {a, b, a}), bits(3.0f) << 32 | bits(4.0f));
}

TEST(Instructions, MinimumAndMaximum) {
  EXPECT_EQ(evaluate("max.f32 %x, %a, %b;", "rrr", {kNan, bits(-1.0f)}), bits(-1.0f));
  EXPECT_EQ(evaluate("max.NaN.f32 %x, %a, %b;", "rrr", {kNan, bits(-1.0f)}), kNan);
  EXPECT_EQ(evaluate("min.f32 %x, %a, %b;", "rrr", {kNan, kNan}), kNan);
  EXPECT_EQ(evaluate("min.f32 %x, %a, %b;", "rrr", {bits(0.0f), bits(-0.0f)}), bits(-0.0f));
  EXPECT_EQ(evaluate("max.f32 %x, %a, %b;", "rrr", {bits(-0.0f), bits(0.0f)}), bits(0.0f));
}

TEST(Instructions, Conversions) {
  EXPECT_EQ(evaluate("cvt.s64.s32 %x, %a;", "dr", {0xffffffff}), ~uint64_t(0));
  EXPECT_EQ(evaluate("cvt.u64.u32 %x, %a;", "dr", {0xffffffff}), 0xffffffff);
  EXPECT_EQ(evaluate("cvt.u32.u8 %x, %a;", "rr", {0x1ff}), 0xffu);
  EXPECT_EQ(evaluate("cvt.rn.f32.s32 %x, %a;", "rr", {uint32_t(-3)}), bits(-3.0f));
  EXPECT_EQ(evaluate("cvt.rn.f32.u32 %x, %a;", "rr", {0x01000001}), bits(16777216.0f)); // a tie, to even
  EXPECT_EQ(evaluate("cvt.rzi.s32.f32 %x, %a;", "rr", {bits(-1.9f)}), uint32_t(-1));
  EXPECT_EQ(evaluate("cvt.rni.s32.f32 %x, %a;", "rr", {bits(2.5f)}), 2u);
  EXPECT_EQ(evaluate("cvt.rmi.s32.f32 %x, %a;", "rr", {bits(-1.1f)}), uint32_t(-2));
  EXPECT_EQ(evaluate("cvt.rzi.s32.f32 %x, %a;", "rr", {bits(1e20f)}), 0x7fffffffu);
  EXPECT_EQ(evaluate("cvt.rzi.u32.f32 %x, %a;", "rr", {bits(-1.0f)}), 0u);
  EXPECT_EQ(evaluate("cvt.rni.f32.f32 %x, %a;", "rr", {bits(-2.5f)}), bits(-2.0f));
  EXPECT_EQ(evaluate("cvt.rn.f32.f64 %x, %a;", "rd", {bits(1.0 + 0x1p-25)}), bits(1.0f));
  EXPECT_EQ(evaluate("cvt.f64.f32 %x, %a;", "dr", {bits(0.1f)}), bits(static_cast<double>(0.1f)));
}

// As the PTX ISA says: 0, but the highest bit where one of the two types has 64. ptxas leaves these to the device.
TEST(Instructions, IntegersOfNoNumber) {
  const uint64_t nan64 = 0x7ff8000012345678, highest = uint64_t(1) << 63;
  for (const char *mode : {"rni", "rzi", "rmi", "rpi"}) {
    const std::string cvt = std::string("cvt.") + mode;
    for (const char *narrow : {".u16", ".s16"}) {
      EXPECT_EQ(evaluate(cvt + narrow + ".f32 %x, %a;", "hr", {kNan}), 0u);
      EXPECT_EQ(evaluate(cvt + narrow + ".f64 %x, %a;", "hd", {nan64}), 0x8000u);
    }
    for (const char *word : {".u32", ".s32"}) {
      EXPECT_EQ(evaluate(cvt + word + ".f32 %x, %a;", "rr", {kNan}), 0u);
      EXPECT_EQ(evaluate(cvt + ".ftz" + word + ".f32 %x, %a;", "rr", {kNan}), 0u);
      EXPECT_EQ(evaluate(cvt + word + ".f64 %x, %a;", "rd", {nan64}), 0x80000000u);
    }
    for (const char *wide : {".u64", ".s64"}) {
      EXPECT_EQ(evaluate(cvt + wide + ".f32 %x, %a;", "dr", {kNan}), highest);
      EXPECT_EQ(evaluate(cvt + ".ftz" + wide + ".f32 %x, %a;", "dr", {kNan}), highest);
      EXPECT_EQ(evaluate(cvt + wide + ".f64 %x, %a;", "dd", {nan64}), highest);
    }
  }
  // Between f32 and f64 the upper bits stay, in ptxas's constants too.
  EXPECT_EQ(evaluate("cvt.rn.f32.f64 %x, %a;", "rd", {nan64}), 0x7fc00000u);
  EXPECT_EQ(evaluate("cvt.rn.f32.f64 %x, %a;", "rd", {nan64 | highest}), 0xffc00000u);
  EXPECT_EQ(evaluate("cvt.f64.f32 %x, %a;", "dr", {0x7fc12345}), 0x7ff82468a0000000u);
}

// The values are ptxas's own: what it stores for these instructions on constants.
TEST(Instructions, NarrowIntegersFillTheirRegister) {
  const uint64_t word = 0x1234f6f7, wide = 0x123400001234f6f7;
  for (const char *from : {"s32", "u32"}) {
    EXPECT_EQ(evaluate(std::string("cvt.s8.") + from + " %x, %a;", "rr", {word}), 0xfffffff7u);
    EXPECT_EQ(evaluate(std::string("cvt.u8.") + from + " %x, %a;", "rr", {word}), 0xf7u);
    EXPECT_EQ(evaluate(std::string("cvt.s16.") + from + " %x, %a;", "rr", {word}), 0xfffff6f7u);
    EXPECT_EQ(evaluate(std::string("cvt.u16.") + from + " %x, %a;", "rr", {word}), 0xf6f7u);
  }
  EXPECT_EQ(evaluate("cvt.s8.s64 %x, %a;", "dd", {wide}), uint64_t(-9));
  EXPECT_EQ(evaluate("cvt.u8.s64 %x, %a;", "dd", {wide}), 0xf7u);
  EXPECT_EQ(evaluate("cvt.s16.s64 %x, %a;", "dd", {wide}), 0xfffffffffffff6f7u);
  EXPECT_EQ(evaluate("cvt.s8.s32 %x, %a;", "hr", {word}), 0xfff7u);
  EXPECT_EQ(evaluate("cvt.s8.u8 %x, %a;", "rr", {word}), 0xfffffff7u);
  EXPECT_EQ(evaluate("cvt.u16.s8 %x, %a;", "rr", {word}), 0xfff7u);
  EXPECT_EQ(evaluate("cvt.s32.s64 %x, %a;", "dd", {0x12345678f234f6f7}), 0xfffffffff234f6f7u);
  EXPECT_EQ(evaluate("cvt.u32.s64 %x, %a;", "dd", {0x12345678f234f6f7}), 0xf234f6f7u);
  EXPECT_EQ(evaluate("cvt.rzi.s16.f32 %x, %a;", "rr", {bits(-1.9f)}), 0xffffffffu);
  // What is above a narrow register's bits is in no address.
  EXPECT_EQ(
      evaluate(".shared .align 16 .b8 m[16]; mov.b32 %r9, m; st.shared.b32 [%r9], %a; or.b32 %r10, %r9, 0x80000000;"
               "cvt.s32.u32 %r11, %r10; ld.shared.b32 %x, [%r11+-2147483648];",
               "rr", {7}),
      7u);
}

TEST(Instructions, Bf16) {
  EXPECT_EQ(evaluate("cvt.rn.bf16.f32 %x, %a;", "hr", {0x3f808000}), 0x3f80u); // ties, to even
  EXPECT_EQ(evaluate("cvt.rn.bf16.f32 %x, %a;", "hr", {0x3f818000}), 0x3f82u);
  EXPECT_EQ(evaluate("cvt.rz.bf16.f32 %x, %a;", "hr", {0x3f81ffff}), 0x3f81u);
  EXPECT_EQ(evaluate("cvt.rn.bf16.f32 %x, %a;", "hr", {0x7f7fffff}), 0x7f80u); // beyond the largest
  EXPECT_EQ(evaluate("cvt.rn.bf16.f32 %x, %a;", "hr", {0xffc00000}), 0x7fffu);
  EXPECT_EQ(evaluate("cvt.f32.bf16 %x, %a;", "rh", {0x3fc0}), bits(1.5f));
  EXPECT_EQ(evaluate("cvt.rn.bf16x2.f32 %x, %a, %b;", "rrr", {bits(1.0f), bits(2.0f)}), 0x3f804000u);
  EXPECT_EQ(evaluate("add.rn.bf16x2 %x, %a, %b;", "rrr", {0x3f803f80, 0x3f804000}), 0x40004040u);
  EXPECT_EQ(evaluate("fma.rn.bf16 %x, %a, %b, %c;", "hhhh", {0x3f81, 0x3f81, 0x3f80}), 0x4001u);
}

TEST(Instructions, LoadsOfEachWidth) {
  EXPECT_EQ(evaluate("ld.global.s8 %x, [%d0];", "r", {0x80}), 0xffffff80);
  EXPECT_EQ(evaluate("ld.global.b8 %x, [%d0+1];", "r", {0x8001}), 0x80u);
  EXPECT_EQ(evaluate("ld.global.nc.L1::no_allocate.v2.b32 {%r9, %x}, [%d0];", "r", {0x500000004}), 5u);
  EXPECT_EQ(evaluate("ld.global.v4.b32 {_, %r9, %r10, %x}, [%d0];", "r", {0, 0x700000006}), 7u);
  EXPECT_EQ(evaluate("st.global.v2.b32 [%d0], {%a, 9}; ld.b64 %x, [%d0];", "dr", {3}), 0x900000003);
}

TEST(Instructions, DivergedThreadsMeetAgain) {
  // A loop of as many rounds as the thread's number; then all exchange what they have.
  TestRun run(R"(
    mov.b32 %r1, 0; mov.b32 %r2, 0;
    LOOP: setp.ge.u32 %p1, %r1, %t; @%p1 bra DONE;
    add.u32 %r2, %r2, %r1; add.u32 %r1, %r1, 1; bra LOOP;
    DONE: shfl.sync.bfly.b32 %r3, %r2, 31, 31, -1;
    cvt.u64.u32 %d2, %r3; mul.wide.u32 %d3, %t, 8; add.u64 %d3, %d3, %d1; st.global.b64 [%d3], %d2;)",
              {0}, 32);
  ASSERT_EQ(run.error, "");
  for (unsigned t = 0; t < 32; ++t)
    EXPECT_EQ(run.out[t], (31 - t) * (30 - t) / 2);
}
