//===- EventFile.h - Curves for TensorBoard -------------------------------------------------------------*- C++ -*-===//
//
//   EventFile file("logs");
//   file.add(iteration, {{"lm loss", 2.5}, {"learning-rate", 3e-4}});
//
// An event file is a sequence of records, each framed as TensorFlow does (TFRecord):
//
//   8 bytes  length of the data, little-endian
//   4 bytes  masked CRC-32C of the length
//   length   the data: an Event in protobuf's wire format
//   4 bytes  masked CRC-32C of the data
//
//   Event   { 1: double wall_time; 2: int64 step; 3: string file_version; 5: Summary summary }
//   Summary { 1: repeated Value { 1: string tag; 2: float simple_value } }
//
// The first event has the file's version and nothing else. A record is one write() at the file's end, so that
// TensorBoard, which reads while the run goes on, sees a whole record or the end.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_EVENTFILE_H
#define TXRUN_EVENTFILE_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace txrun {

using Scalars = std::vector<std::pair<std::string, double>>;

class EventFile {
public:
  /// Makes a new file in the folder, which must be there; its name has the time, the machine and the process, so that
  /// each run has a curve of its own. An empty name of the folder makes an event file that drops everything.
  explicit EventFile(const std::string &folder);
  ~EventFile();
  EventFile(const EventFile &) = delete;
  EventFile &operator=(const EventFile &) = delete;

  /// Adds one point at `step` to each of these curves.
  void add(int64_t step, const Scalars &scalars);

private:
  void write(const std::string &event);

  std::string path;
  int descriptor = -1;
};

/// CRC-32C (Castagnoli) of the bytes.
uint32_t crc32c(const std::string &bytes);

} // namespace txrun

#endif // TXRUN_EVENTFILE_H
