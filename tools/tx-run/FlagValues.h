//===- FlagValues.h - Reading the values of flags -----------------------------------------------------------*- C++
//-*-===//
//
// Each reader takes the flag's name, for messages, and the text of its value. It throws a usage error that quotes the
// text and says what would have been a value:
//
//   options.logInterval = flagvalue::integer("log-interval", "10", /*least=*/1);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_FLAGVALUES_H
#define TXRUN_FLAGVALUES_H

#include "train/DataFiles.h"
#include "train/LrSchedule.h"
#include "train/Samples.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace txrun::flagvalue {

int64_t integer(const char *flag, const std::string &text, int64_t least,
                int64_t most = std::numeric_limits<int64_t>::max());
double real(const char *flag, const std::string &text, double least, double most = std::numeric_limits<double>::max());
/// A learning rate. The step takes it as f32, so it must not round to Inf or 0.
double rate(const char *flag, const std::string &text);
/// A number of bytes as Hugging Face's max_shard_size: "5GB", "512MiB".
uint64_t size(const char *flag, const std::string &text);
/// The name of a file, which must not be empty or `-`.
std::string file(const char *flag, const std::string &text);
/// "NAME=FILE.npy".
std::pair<std::string, std::string> nameAndFile(const char *flag, const std::string &text);
/// "969,30,1": shares of training, validation and test data.
std::vector<double> split(const char *flag, const std::string &text);
std::string entry(const char *flag, const std::string &text);
txrt::train::DataFormat dataFormat(const char *flag, const std::string &text);
txrt::train::DataOrder dataOrder(const char *flag, const std::string &text);
txrt::train::DecayStyle decayStyle(const char *flag, const std::string &text);
/// The name of a backend that this build has.
std::string backend(const char *flag, const std::string &text);

} // namespace txrun::flagvalue

#endif // TXRUN_FLAGVALUES_H
