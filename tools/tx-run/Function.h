//===- Function.h - One entry on arrays from files ------------------------------------------------------*- C++ -*-===//

#ifndef TXRUN_FUNCTION_H
#define TXRUN_FUNCTION_H

#include "Console.h"
#include "train/Model.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace txrun {

using NameAndFile = std::pair<std::string, std::string>;

/// The number that the value of an --input is; nothing if it is the name of a file.
std::optional<double> numberOf(const std::string &value);

/// Runs an entry once. `inputs` must name each argument of the entry; the value is a .npy file, a .safetensors file
/// with a tensor of the argument's name, or a number that fills the argument. `outputs` names results and the files to
/// write them to. Both lists may also name globals. Prints the results that are single numbers.
void runFunction(const Model &model, const std::string &entryName, const std::vector<NameAndFile> &inputs,
                 const std::vector<NameAndFile> &outputs, Console &console);

} // namespace txrun

#endif // TXRUN_FUNCTION_H
