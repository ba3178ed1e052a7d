//===- ConfigReading.h - What rules of a family see of a config.json ------------------------------------*- C++ -*-===//

#ifndef TX_LIB_FRONTEND_CONFIGREADING_H
#define TX_LIB_FRONTEND_CONFIGREADING_H

#include "tx/Frontend/ModelConfig.h"

#include "llvm/ADT/SmallVector.h"

namespace tx {

/// A config.json that is being read into a config. Errors name the file and the field.
class ConfigReading {
public:
  ConfigReading(const llvm::json::Object &object, llvm::StringRef file, ModelConfig &config)
      : config(config), object(object), file(file) {}

  /// The field's value; null if the file has none, or null.
  const llvm::json::Value *find(llvm::StringRef field) const { return findIn(object, field); }
  bool has(llvm::StringRef field) const { return object.get(field); }
  static const llvm::json::Value *findIn(const llvm::json::Object &object, llvm::StringRef field);

  llvm::Error refuse(const llvm::Twine &field, const llvm::json::Value &value, const llvm::Twine &reason) const;
  llvm::Error wrongType(const llvm::Twine &field, const llvm::json::Value &value, llvm::StringRef expected) const;
  llvm::Error read(const llvm::Twine &field, const llvm::json::Value &value, int64_t &member) const; ///< at least 1
  llvm::Error read(const llvm::Twine &field, const llvm::json::Value &value, double &member) const;
  llvm::Error read(const llvm::Twine &field, const llvm::json::Value &value, bool &member) const;
  /// Notes that a part of the file changes nothing.
  void ignore(const llvm::Twine &field) { ignored.push_back(field.str()); }

  llvm::StringRef getFile() const { return file; }
  llvm::ArrayRef<std::string> getIgnored() const { return ignored; }

  ModelConfig &config;

private:
  const llvm::json::Object &object;
  llvm::StringRef file;
  llvm::SmallVector<std::string> ignored;
};

} // namespace tx

#endif // TX_LIB_FRONTEND_CONFIGREADING_H
