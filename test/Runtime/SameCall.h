//===- SameCall.h - Whether two functions are called alike ----------------------------------------------*- C++ -*-===//

#ifndef TEST_RUNTIME_SAMECALL_H
#define TEST_RUNTIME_SAMECALL_H

#include <cstddef>
#include <type_traits>

/// As the calling convention sees them: as many arguments, each of the same size, pointers where there are pointers.
template <typename A, typename B> struct SameCall : std::false_type {};
template <typename T> constexpr size_t callSize() {
  if constexpr (std::is_void_v<T>)
    return 0;
  else
    return sizeof(T);
}
template <typename R, typename... A, typename S, typename... B> struct SameCall<R (*)(A...), S (*)(B...)> {
  static constexpr bool check() {
    if constexpr (sizeof...(A) != sizeof...(B))
      return false;
    else
      return callSize<R>() == callSize<S>() &&
             ((sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>) && ...);
  }
  static constexpr bool value = check();
};

static_assert(SameCall<int (*)(int *), unsigned (*)(void *)>::value);
static_assert(!SameCall<int (*)(int *), int (*)(size_t)>::value);
static_assert(!SameCall<int (*)(int), int (*)(int, int)>::value);

#endif // TEST_RUNTIME_SAMECALL_H
