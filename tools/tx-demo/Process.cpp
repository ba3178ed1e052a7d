#include "Process.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

using namespace txdemo;

std::string txdemo::shown(const Command &command) {
  std::string text;
  for (const std::string &word : command) {
    if (!text.empty())
      text += ' ';
    bool plain = !word.empty() && word.find_first_of(" '\"\\$&|;<>()*?") == std::string::npos;
    text += plain ? word : "'" + word + "'";
  }
  return text;
}

/// Runs a command and returns its exit code; 128 + N if signal N has ended it, as in a shell.
static int spawn(const Command &command, const char *outputFile) {
  std::fflush(stdout);
  pid_t child = fork();
  if (child < 0)
    throw Failure(2, std::string("fork: ") + std::strerror(errno));
  if (child == 0) {
    if (outputFile) {
      int file = open(outputFile, O_WRONLY | O_CREAT | O_TRUNC, 0666);
      if (file < 0 || dup2(file, 1) < 0 || dup2(file, 2) < 0)
        _exit(7);
    }
    std::vector<char *> words;
    for (const std::string &word : command)
      words.push_back(const_cast<char *>(word.c_str()));
    words.push_back(nullptr);
    execv(words[0], words.data());
    std::fprintf(stderr, "%s: %s\n", words[0], std::strerror(errno));
    _exit(2);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      throw Failure(2, std::string("waitpid: ") + std::strerror(errno));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void txdemo::run(const Command &command) {
  if (int code = spawn(command, nullptr))
    throw Failure(code, "this command failed with exit code " + std::to_string(code) + ": " + shown(command));
}

void txdemo::runQuietly(const Command &command, const std::string &outputFile) {
  int code = spawn(command, outputFile.c_str());
  if (!code)
    return;
  constexpr size_t limit = 1500;
  std::string output;
  if (std::ifstream(outputFile))
    output = readFile(outputFile);
  if (output.size() > limit)
    output = "..." + output.substr(output.size() - limit);
  throw Failure(code,
                "this command failed with exit code " + std::to_string(code) + ": " + shown(command) + "\n" + output);
}

std::string txdemo::readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  if (!file || !(text << file.rdbuf()))
    throw Failure(7, path + ": cannot be read");
  return text.str();
}
