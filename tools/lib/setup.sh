# The common part of tools/demo and tools/check: what to install, how to build. Sourced by bash, from any folder;
# everything happens in the source tree's root.

TX_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# The one list of Debian 12 packages. LLVM 22 is in its security suite.
TX_PACKAGES_MLIR="llvm-22-dev libmlir-22-dev mlir-22-tools"
TX_PACKAGES="g++ cmake ninja-build clang-22 lld-22 ccache nlohmann-json3-dev
  libopenblas0-pthread libgtest-dev"
TX_PACKAGES_SANITIZER="libclang-rt-22-dev"
# Only tests need these: steps of several ranks by MPI, the sources' form, and what fetches parts of CUDA.
TX_PACKAGES_TESTS="openmpi-bin clang-format-22 python3 python3-numpy ca-certificates"
# Parts of CUDA on PyPI, for machines without the toolkit. The assembler is the version that the bounds of test/Gpu were
# measured with; Tx's own declarations of the libraries are compared with the headers.
TX_CUDA_WHEELS="nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-cuda-runtime==13.0.88
  nvidia-cublas==13.0.2.14 nvidia-cudnn-cu13==9.13.0.50 nvidia-nccl-cu13==2.27.7"
TX_CUDA_FILES="nvidia/*/bin/ptxas nvidia/*/include/*.h nvidia/*/include/*.hpp"
TX_SECURITY_SUITE="deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
http://deb.debian.org/debian-security bookworm-security main"

tx_say() { printf '%s\n' "$*"; }

# tx_stop CODE MESSAGE...: one line on stderr for each message.
tx_stop() {
  local code=$1
  shift
  printf '%s\n' "$@" >&2
  exit "$code"
}

# tx_packages PRESET [tests]: what is needed. With MLIR_DIR set, LLVM is the caller's own.
tx_packages() {
  local list="$TX_PACKAGES"
  [ -n "${MLIR_DIR:-}" ] || list="$list $TX_PACKAGES_MLIR"
  [ "$1" != asan ] || list="$list $TX_PACKAGES_SANITIZER"
  [ "${2:-}" != tests ] || list="$list $TX_PACKAGES_TESTS"
  printf '%s\n' $list
}

tx_missing_packages() {
  local package
  for package in $(tx_packages "$@"); do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      printf '%s ' "$package"
  done
}

tx_has_candidate() {
  apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [0-9]'
}

# What a person pastes where this script may not install.
tx_install_line() {
  tx_say "  echo '$TX_SECURITY_SUITE' | sudo tee /etc/apt/sources.list.d/tx-debian-security.list"
  tx_say "  sudo apt-get update && sudo apt-get install --yes --no-install-recommends $*"
}

# tx_install PRESET [tests]: only what is missing, and nothing at all if nothing is.
tx_install() {
  local missing as_root=
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    tx_stop 2 "error: this system has no apt-get; the automatic set-up knows Debian 12 only." \
      "On a Debian 12 machine run:" \
      "$(tx_install_line $(tx_packages "$@"))" \
      "or, with an LLVM/MLIR 22.1 of your own: cmake --preset $1 -DMLIR_DIR=PREFIX/lib/cmake/mlir"
  fi
  missing=$(tx_missing_packages "$@")
  missing=${missing% }
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    # Asking for a password needs a person at a terminal.
    if ! command -v sudo >/dev/null || { ! sudo -n true 2>/dev/null && ! [ -t 0 ]; }; then
      tx_stop 2 "error: packages are missing and only root may install them ($missing). Run:" \
        "$(tx_install_line $missing)"
    fi
  fi
  tx_say "Installing: $missing"
  $as_root apt-get update -qq || tx_stop 2 "error: apt-get update failed; is there a network?"
  # A bare system may come without the security suite.
  if ! tx_has_candidate llvm-22-dev && [ -z "${MLIR_DIR:-}" ]; then
    grep -qs 'VERSION_CODENAME=bookworm' /etc/os-release ||
      tx_stop 2 "error: this system's apt has no llvm-22-dev, and it is not Debian 12 (bookworm)." \
        "With an LLVM/MLIR 22.1 of your own: MLIR_DIR=PREFIX/lib/cmake/mlir $0"
    tx_say "LLVM 22 is in Debian's security suite: adding tx-debian-security.list"
    printf '%s\n' "$TX_SECURITY_SUITE" |
      $as_root tee /etc/apt/sources.list.d/tx-debian-security.list >/dev/null
    $as_root apt-get update -qq || tx_stop 2 "error: apt-get update failed for the security suite"
  fi
  $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes -qq -o Dpkg::Use-Pty=0 --no-install-recommends $missing ||
    tx_stop 2 "error: apt-get could not install the packages. By hand:" "$(tx_install_line $missing)"
}

# tx_has_cuda: whether tests find the toolkit's assembler and the headers of all libraries by themselves.
tx_has_cuda() {
  local file folder found
  for file in bin/ptxas include/cublasLt.h include/cudnn_graph.h include/nccl.h; do
    found=
    for folder in ${CUDA_HOME:+"$CUDA_HOME"} ${CUDA_PATH:+"$CUDA_PATH"} /usr/local/cuda; do
      [ ! -e "$folder/$file" ] || found=1
    done
    [ -n "$found" ] || return 1
  done
}

# tx_fetch_cuda FOLDER: CUDA_HOME becomes a folder with ptxas and headers. Tests that need one of them are skipped where
# it can not be had; the build needs none.
tx_fetch_cuda() {
  ! tx_has_cuda || return 0
  if [ "$(cat "$1/wheels" 2>/dev/null)" != "$TX_CUDA_WHEELS" ]; then
    tx_say "Fetching ptxas and headers of the CUDA libraries (PyPI, 40 MB) into $1"
    rm -rf "$1"
    set -f
    python3 "$TX_ROOT/tools/lib/fetch_wheel_files.py" "$1" $TX_CUDA_FILES -- $TX_CUDA_WHEELS || {
      set +f
      tx_say "note: no ptxas and no headers; tests that need one are skipped"
      return 0
    }
    set +f
    chmod +x "$1/bin/ptxas"
    printf '%s\n' "$TX_CUDA_WHEELS" >"$1/wheels"
  fi
  export CUDA_HOME=$1
}

# Where a preset builds (the same names as in CMakePresets.json).
tx_build_dir() {
  case $1 in
  default) printf '%s/build' "$TX_ROOT" ;;
  *) printf '%s/build-%s' "$TX_ROOT" "$1" ;;
  esac
}

# As many jobs as processors, but no more than one for each 1.5 GiB of free memory:
# a source that includes much of MLIR takes that to compile.
tx_jobs() {
  local cpus memory
  cpus=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1572864) }' /proc/meminfo)
  [ "$memory" -ge 1 ] || memory=1
  [ "$cpus" -le "$memory" ] && printf '%s' "$cpus" || printf '%s' "$memory"
}

# tx_configure PRESET: once; later changes are noticed by ninja itself.
tx_configure() {
  local dir
  dir=$(tx_build_dir "$1")
  [ ! -f "$dir/build.ninja" ] || return 0
  tx_say "Configuring $dir"
  mkdir -p "$dir"
  (cd "$TX_ROOT" && cmake --preset "$1" >"$dir/configure.log" 2>&1) || {
    tail -n 30 "$dir/configure.log" >&2
    tx_stop 2 "error: cmake --preset $1 failed; the whole output is in $dir/configure.log"
  }
}

# tx_build PRESET [ninja options and targets...]
tx_build() {
  local preset=$1
  shift
  tx_configure "$preset"
  NINJA_STATUS='[%f/%t, %e s] ' ninja -C "$(tx_build_dir "$preset")" -j "$(tx_jobs)" "$@"
}
