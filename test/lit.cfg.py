# The lit suite: every *.mlir and *.test below test/.

import os
import shutil
import subprocess

import lit.formats

config.name = "Tx"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
# Folders of data: text, recorded values, inputs of other tests.
config.excludes = ["Bench", "Data", "Inputs", "Recorded"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.tx_binary_dir, "test")

# Tx's programs by their names, then FileCheck, not, split-file. A program that was not built is a test that fails:
# nothing is skipped for want of it.
config.environment["PATH"] = os.pathsep.join(
    [config.tx_tools_dir, config.llvm_tools_dir, config.environment["PATH"]]
)
for name in ["HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TX_PROPERTY_PAIRS", "TX_MUTANTS", "TX_KERNEL_CACHE"]:
    if name in os.environ:
        config.environment[name] = os.environ[name]

# The CUDA toolkit's assembler; tests of cubins need it, and say so.
ptxas = [os.path.join(os.environ[name], "bin", "ptxas") for name in ["CUDA_HOME", "CUDA_PATH"] if name in os.environ]
if any(map(shutil.which, [*ptxas, "ptxas", "/usr/local/cuda/bin/ptxas"])):
    config.available_features.add("ptxas")
for name in ["CUDA_HOME", "CUDA_PATH"]:
    if name in os.environ:
        config.environment[name] = os.environ[name]
# A set-up of one's own may lack Open MPI or NumPy; tools/check installs them.
if shutil.which("mpirun"):
    config.available_features.add("mpi")
for python in filter(None, [shutil.which("python3"), "/usr/bin/python3"]):
    if os.path.exists(python) and subprocess.run([python, "-c", "import numpy"], capture_output=True).returncode == 0:
        config.available_features.add("numpy")
        config.substitutions.append(("%numpy-python", python))
        break

# Whose event files tx-run writes; TX_TENSORBOARD_PYTHON may name a Python that has it.
find_tensorboard = "import sys, importlib.util; sys.exit(not importlib.util.find_spec('tensorboard'))"
for python in filter(None, [os.environ.get("TX_TENSORBOARD_PYTHON"), shutil.which("python3")]):
    if subprocess.run([python, "-c", find_tensorboard], capture_output=True).returncode == 0:
        config.available_features.add("tensorboard")
        config.substitutions.append(("%tensorboard-python", python))
        break

# The version whose form the tree has; tools/check installs it.
for name in ["clang-format-22", os.path.join(config.llvm_tools_dir, "clang-format")]:
    if shutil.which(name):
        config.available_features.add("clang-format")
        config.substitutions.append(("%clang-format", name))
        break

# The allocations of a step; the sanitizers' own allocator is not counted.
allocations = "not counted in this build" if config.tx_sanitize else "0"
config.substitutions.append(("%no-allocations", allocations))
# What is built outside of the tree has no sanitizer, and does not link with what has one.
if config.tx_sanitize:
    config.available_features.add("sanitizer")
config.substitutions.append(("%mlir-include", config.mlir_include_dirs))
config.substitutions.append(("%tx-src", config.tx_source_dir))
config.substitutions.append(("%tx-build", config.tx_binary_dir))
# What the tests that compile something compile it with: as the build does.
config.substitutions.append(("%cc", config.c_compiler))
config.substitutions.append(("%cxx", config.cxx_compiler))
config.substitutions.append(("%mlir-dir", config.mlir_dir))
config.substitutions.append(("%tx-plugins", os.path.join(config.tx_binary_dir, "test", "Pipeline")))
config.substitutions.append(("%tx-tools", config.tx_tools_dir))
config.substitutions.append(("%tx-lib", os.path.join(config.tx_binary_dir, "lib")))
# The driver and the libraries of a GPU that is not there.
fake_cuda = os.path.join(config.tx_binary_dir, "test", "Runtime", "FakeCuda", "lib")
config.substitutions.append(("%fake-cuda", fake_cuda))
config.substitutions.append(("%tx-data", os.path.join(config.test_source_root, "Data")))
