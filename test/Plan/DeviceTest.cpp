//===- DeviceTest.cpp - Machines from JSON ------------------------------------------------------------------------===//

#include "tx/Plan/Device.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/STLExtras.h"

#include "gtest/gtest.h"

using namespace tx;
using namespace tx::plan;

static const std::string kRate = R"({"flops_per_second": 1e12, "efficiency": [[1e6, 0.1], [1e9, 0.9]], "source": "s"})";

/// A machine of which one key's value may be another.
static std::string write(const std::string &key = "", const std::string &value = "") {
  std::pair<std::string, std::string> members[] = {
      {"name", "\"m\""},
      {"matrix", "{\"f32\": " + kRate + "}"},
      {"vector", "{\"f32\": " + kRate + "}"},
      {"memory", R"([{"name": "cache", "bytes": 1000, "bytes_per_second": 4e9, "efficiency": 1, "source": "s"},
                     {"name": "memory", "bytes": 1000000, "bytes_per_second": 1e9, "efficiency": 1, "source": "s"}])"},
      {"launch", R"({"seconds": 1e-6, "source": "s"})"},
      {"links", R"([{"name": "l", "ranks": 8, "latency_seconds": 1e-5, "bytes_per_second": 1e9, "efficiency": 1,
                     "factors": {"all_gather": 2}, "source": "s"}])"},
      {"outside", R"([{"name": "context", "for": "process", "bytes": 7, "source": "s"},
                      {"name": "talk", "for": "communicator", "bytes": 2, "source": "s"}])"},
      {"measured", R"({"machine": "m", "products": [], "kernels": []})"}};
  std::string text;
  for (auto &[name, standard] : members)
    if (name != key || !value.empty())
      text += (text.empty() ? "{" : ", ") + ("\"" + name + "\": ") + (name == key ? value : standard);
  return text + "}";
}

static std::string messageOf(llvm::Expected<Device> device) { return device ? "" : llvm::toString(device.takeError()); }
static std::string faultOf(const std::string &key, const std::string &value) {
  return messageOf(parseDevice(write(key, value), "m.json"));
}

TEST(Device, HasWhatTheFileSays) {
  llvm::Expected<Device> device = parseDevice(write(), "m.json");
  ASSERT_TRUE(bool(device)) << llvm::toString(device.takeError());
  EXPECT_EQ(device->name, "m");
  EXPECT_EQ(device->getMemoryBytes(), 1000000);
  EXPECT_EQ(device->getOutsideBytes(/*communicators=*/3), 13);
  EXPECT_EQ(device->launchSeconds, 1e-6);
  EXPECT_EQ(device->links.front().factors.at("all_gather"), 2);
  EXPECT_EQ(device->secondsToMove(1000), 0.25e-6);
  EXPECT_EQ(device->secondsToMove(2000), 2e-6);
}

TEST(Device, EfficiencyIsAPowerBetweenTwoSizes) {
  Rate rate = {1e12, {{1e6, 0.1}, {1e8, 0.4}}};
  EXPECT_EQ(rate.getShare(1), 0.1);
  EXPECT_EQ(rate.getShare(1e6), 0.1);
  EXPECT_NEAR(rate.getShare(1e7), 0.2, 1e-12);
  EXPECT_EQ(rate.getShare(1e8), 0.4);
  EXPECT_EQ(rate.getShare(1e12), 0.4);
}

TEST(Device, TypesWithoutARateTakeThatOfF32) {
  llvm::Expected<Device> device = parseDevice(write(), "m.json");
  ASSERT_TRUE(bool(device));
  EXPECT_EQ(device->matrix.get(ElementType::BF16).perSecond, 1e12);
  EXPECT_EQ(device->tilesForward.get(ElementType::F32).perSecond, 1e12);
}

TEST(Device, EachPresetCanBeRead) {
  EXPECT_EQ(getDeviceNames().size(), 8u);
  for (llvm::StringRef name : getDeviceNames()) {
    llvm::Expected<Device> device = findDevice(name);
    ASSERT_TRUE(bool(device)) << llvm::toString(device.takeError());
    EXPECT_EQ(device->name, name);
    EXPECT_EQ(device->outside.empty(), name == "cpu");
  }
}

TEST(Device, WhatIsNotKnownIsRefusedWithWhatIs) {
  EXPECT_EQ(messageOf(findDevice("h1000")),
            "device 'h1000' is not known; known: a100-40g, a100-80g, h100, h200, b200, gb200, mi300x, cpu, or a file "
            "whose name ends in .json");
  EXPECT_EQ(messageOf(findDevice("/no/such.json")), "/no/such.json: No such file or directory");
}

TEST(Device, FaultsNameTheirPlace) {
  EXPECT_EQ(faultOf("launch", ""), "m.json: launch is missing");
  EXPECT_EQ(faultOf("launch", "{\"seconds\": 1, \"source\": \"s\", \"secs\": 2}"),
            "m.json: launch.secs is unknown; known there: seconds, source");
  EXPECT_EQ(faultOf("launch", "{\"seconds\": \"fast\", \"source\": \"s\"}"),
            "m.json: launch.seconds is \"fast\"; it must be a number");
  EXPECT_EQ(faultOf("launch", "{\"seconds\": -1, \"source\": \"s\"}"),
            "m.json: launch.seconds is -1; it must be at least 0 and finite");
  EXPECT_EQ(faultOf("launch", "{\"seconds\": 1e400, \"source\": \"s\"}"),
            "m.json: launch.seconds is inf; it must be at least 0 and finite");
  EXPECT_EQ(faultOf("launch", "{\"seconds\": 1, \"source\": \"\"}"),
            "m.json: launch.source is \"\"; it must be a text that is not empty");
  EXPECT_EQ(faultOf("launch", "[]"), "m.json: launch is []; it must be an object");
  EXPECT_EQ(faultOf("links", "{}"), "m.json: links is {}; it must be an array");
  EXPECT_EQ(faultOf("matrix", "{\"fp8\": " + kRate + "}"), "m.json: matrix.f32 is missing");
  EXPECT_EQ(faultOf("matrix", "{\"f32\": " + kRate + ", \"fp8\": " + kRate + "}"),
            "m.json: matrix.fp8 is unknown; known there: f32, bf16, f16");
  EXPECT_EQ(faultOf("vector", R"({"f32": {"flops_per_second": 0, "efficiency": 1, "source": "s"}})"),
            "m.json: vector.f32.flops_per_second is 0; it must be above 0 and finite");
  EXPECT_EQ(faultOf("name", "\"m\", \"name\": \"n\""), "m.json:1: the key \"name\" is there twice; leave one out");
  EXPECT_EQ(faultOf("tiles", ""), "");
}

static std::string efficiencyFault(const std::string &value) {
  return faultOf("vector", R"({"f32": {"flops_per_second": 1, "source": "s", "efficiency": )" + value + "}}");
}

TEST(Device, SharesThatCannotBeAreRefused) {
  EXPECT_EQ(efficiencyFault("1.5"), "m.json: vector.f32.efficiency is 1.5; a share is at most 1");
  EXPECT_EQ(efficiencyFault("\"most\""), "m.json: vector.f32.efficiency is \"most\"; it must be an array");
  EXPECT_EQ(efficiencyFault("[[1]]"), "m.json: vector.f32.efficiency[0] must be a pair, [size, share]");
  EXPECT_EQ(efficiencyFault("[[10, 0.5], [10, 0.6]]"),
            "m.json: vector.f32.efficiency[1][0] is 10 after 10; sizes must ascend");
  EXPECT_EQ(efficiencyFault("[[10, 0.1], [20, 0.5]]"),
            "m.json: vector.f32.efficiency[1][1] is 0.5: it grows faster than the size, so that more work would take "
            "less time; at most 0.2 would do");
}

TEST(Device, MemoryAndLinksAscend) {
  auto level = [](const std::string &bytes, const std::string &rate) {
    return R"({"name": "n", "bytes": )" + bytes + R"(, "bytes_per_second": )" + rate +
           R"(, "efficiency": 1, "source": "s"})";
  };
  EXPECT_EQ(faultOf("memory", "[]"), "m.json: memory is empty; its last level is the device's memory");
  EXPECT_EQ(faultOf("memory", "[" + level("9", "1") + "," + level("9", "1") + "]"),
            "m.json: memory[1].bytes is 9 after 9; levels ascend from the smallest cache to the memory");
  EXPECT_EQ(faultOf("memory", "[" + level("8", "1") + "," + level("9", "2") + "]"),
            "m.json: memory[1].bytes_per_second: the level moves 8 bytes faster than n, the smaller one");
  EXPECT_EQ(faultOf("memory", "[" + level("1.5", "1") + "]"),
            "m.json: memory[0].bytes is 1.5; it must be a whole number");
  EXPECT_EQ(faultOf("memory", "[" + level("0", "1") + "]"), "m.json: memory[0].bytes is 0; it must be at least 1");
  auto link = [](const std::string &ranks) {
    return R"({"name": "n", "ranks": )" + ranks +
           R"(, "latency_seconds": 0, "bytes_per_second": 1, "efficiency": 1, "source": "s"})";
  };
  EXPECT_EQ(faultOf("links", "[" + link("4") + "," + link("4") + "]"),
            "m.json: links[1].ranks is 4 after 4; links ascend");
}

TEST(Device, RowsOutsideSayWhoTakesThem) {
  EXPECT_EQ(faultOf("outside", R"([{"name": "n", "for": "me", "bytes": 1, "source": "s"}])"),
            "m.json: outside[0].for is 'me'; it must be process or communicator");
}

TEST(Device, WhatWasMeasuredIsThereOnce) {
  std::string product = R"({"dtype": "f32", "transpose_a": false, "transpose_b": true, "m": 2, "n": 3, "k": 4,
                            "batch": 1, "seconds": 5})";
  auto measured = [](const std::string &products, const std::string &kernels) {
    return faultOf("measured", R"({"machine": "m", "products": [)" + products + R"(], "kernels": [)" + kernels + "]}");
  };
  EXPECT_EQ(measured(product, ""), "");
  EXPECT_EQ(measured(product + "," + product, ""), "m.json: measured.products[1] is there twice: another entry has "
                                                   "its kind and sizes; leave one out");
  std::string other = product;
  other.replace(other.find("f32"), 3, "fp8");
  EXPECT_EQ(measured(other, ""), "m.json: measured.products[0].dtype is 'fp8'; it must be one of f32, bf16, f16");
  other = product;
  other.replace(other.find("false"), 5, "0");
  EXPECT_EQ(measured(other, ""), "m.json: measured.products[0].transpose_a is 0; it must be true or false");
  EXPECT_EQ(measured("", R"({"kind": "row x", "flops": 0, "buffers": 1, "bytes": 0, "seconds": 1})"),
            "m.json: measured.kernels[0] has neither FLOPs nor bytes; leave it out");
}

TEST(Samples, AMeasuredSizeHasItsTime) {
  Samples samples;
  samples.add({8, 8, 8, 1}, 100, 2);
  samples.add({16, 8, 8, 1}, 200, 3);
  EXPECT_EQ(samples.find({8, 8, 8, 1}), 2.0);
  EXPECT_EQ(samples.find({9, 8, 8, 1}), std::nullopt);
  EXPECT_NEAR(samples.estimate({8, 8, 8, 1}, 100), 2, 1e-6);
}

TEST(Samples, RatesStayBetweenThoseThatWereMeasured) {
  Samples samples;
  samples.add({8, 8, 8, 1}, 100, 1);      // 100 a second
  samples.add({64, 64, 64, 1}, 400, 0.5); // 800 a second
  for (double size : {1.0, 8.0, 20.0, 40.0, 64.0, 1000.0}) {
    double rate = 1000 / samples.estimate({size, size, size, 1}, 1000);
    EXPECT_GE(rate, 100);
    EXPECT_LE(rate, 800);
  }
  EXPECT_LT(samples.estimate({40, 40, 40, 1}, 1000), samples.estimate({10, 10, 10, 1}, 1000));
}
