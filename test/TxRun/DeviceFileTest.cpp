//===- DeviceFileTest.cpp - What a run says of its machine --------------------------------------------------------===//

#include "DeviceFile.h"

#include "core/File.h"
#include "core/Json.h"

#include "gtest/gtest.h"

#include <cstdio>

using namespace txrun;

namespace {

txrt_launch_info launch(txrt_launch_kind kind, double start, double seconds) {
  txrt_launch_info info = {};
  info.kind = kind;
  info.runs = 1;
  info.seconds = info.last_seconds = seconds;
  info.last_start = start;
  return info;
}

txrt_launch_info kernel(const char *name, uint64_t flops, double seconds, txrt_dtype dtype = TXRT_DTYPE_F32) {
  txrt_launch_info info = launch(TXRT_LAUNCH_KERNEL, 0, seconds);
  info.kernel = name;
  info.flops = flops, info.bytes = 10 * flops, info.buffers = 3;
  info.dtype = dtype;
  return info;
}

txrt_launch_info product(uint64_t size, double seconds) {
  txrt_launch_info info = launch(TXRT_LAUNCH_GEMM, 0, seconds);
  info.gemm[0] = info.gemm[1] = info.gemm[2] = size;
  info.batch = 1;
  info.transpose_b = 1;
  return info;
}

} // namespace

TEST(DeviceTimes, AKernelIsCalledWhatAPlanCallsIt) {
  DeviceTimes times;
  times.add({kernel("row7_layer_norm", 5, 1), kernel("row12_layer_norm_", 5, 2),
             kernel("flat24_adamw", 5, 3, TXRT_DTYPE_BF16)});
  ASSERT_EQ(times.kernels.size(), 2u);
  EXPECT_EQ(times.kernels.at({"row layer_norm", 5, 3}).seconds, (std::vector<double>{1, 2}));
  EXPECT_EQ(times.kernels.at({"flat adamw bf16", 5, 3}).bytes, 50u);
}

TEST(DeviceTimes, CollectivesAreNotOfTheMachine) {
  DeviceTimes times;
  times.add({launch(TXRT_LAUNCH_COLLECTIVE, 0, 1)});
  EXPECT_TRUE(times.kernels.empty() && times.products.empty() && times.gaps.empty());
}

TEST(DeviceTimes, GapsAreBetweenTheEndOfALaunchAndTheNext) {
  DeviceTimes times;
  txrt_launch_info first = product(4, 2), second = product(4, 2);
  second.last_start = 2.5;
  times.add({first, second});
  EXPECT_EQ(times.gaps, std::vector<double>{0.5});
}

TEST(DeviceFile, RatesNeverMakeMoreWorkFaster) {
  DeviceTimes times;
  // The larger product takes less time, as a clock may say.
  times.add({product(10, 1), product(100, 0.5), kernel("row1_gelu", 10, 1), kernel("row1_gelu", 1000, 0.5),
             kernel("flat2_adamw", 100, 1)});
  const std::string path = testing::TempDir() + "device-file-test.json";
  writeDevice(times, {"a machine", {}}, path, /*merge=*/false);
  const std::vector<uint8_t> bytes = txrt::readFile(path, 1 << 20);
  const char *text = reinterpret_cast<const char *>(bytes.data());
  const nlohmann::json device = txrt::parseJson(text, text + bytes.size(), path);
  std::remove(path.c_str());
  for (const nlohmann::json &rate : {device["matrix"]["f32"], device["vector"]["f32"], device["memory"][0]}) {
    double before = 0;
    for (const nlohmann::json &point : rate["efficiency"]) {
      const double seconds = point[0].get<double>() / point[1].get<double>();
      EXPECT_GE(seconds, before) << rate;
      before = seconds;
    }
  }
  EXPECT_EQ(device["name"], "device-file-test");
  EXPECT_EQ(device["measured"]["machine"], "a machine");
  EXPECT_EQ(device["measured"]["products"].size(), 2u);
}
