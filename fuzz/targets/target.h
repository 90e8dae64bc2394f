/// Shared by the fuzz targets. A target is one function over bytes, called by libFuzzer (preset libfuzzer) or by the
/// plain main of targets/main.cpp; an exception or a sanitizer's report is a finding.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tileproof {

/// A condition that must hold does not.
struct Wrong : std::runtime_error {
  using std::runtime_error::runtime_error;
};
inline void require(bool is_so, const std::string& what) {
  if (!is_so) throw Wrong(what);
}

inline std::string text_of(const std::uint8_t* data, std::size_t size) { return {data, data + size}; }

/// Choices read from bytes one after another; after the end, all bytes are 0.
class Choices {
 public:
  Choices(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}

  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes && left_ > 0; ++i, --left_) value |= static_cast<std::uint64_t>(*data_++) << (8 * i);
    return value;
  }
  /// A number in 0..bound-1, from one byte.
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(number(1) % static_cast<std::uint64_t>(bound));
  }
  template <class T, std::size_t count>
  T one_of(const T (&all)[count]) {
    return all[below(count)];
  }
  bool is_at_end() const { return left_ == 0; }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

}  // namespace tileproof
