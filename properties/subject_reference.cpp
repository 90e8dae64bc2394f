// The specification as a subject: whoever doubts a claim sees it pass here, and fail in faults.cpp.
#include "../reference/matrix.h"

#include "subject_rows.h"

namespace tileproof {

namespace {

class ReferenceSubject : public Subject {
 public:
  Memory& memory() override { return host_memory(); }

  void run(const PackCall& c) override {
    reference::pack(c.codes, c.n, c.k, static_cast<int>(c.inner_k_tiles), c.packed);
  }
  void run(const UnpackCall& c) override {
    reference::unpack(c.packed, c.n, c.k, static_cast<int>(c.inner_k_tiles), c.codes);
  }
  void run(const DequantizeCall& c) override {
    if (c.type == Type::fp32) return dequantize<std::uint32_t>(c);
    dequantize<std::uint16_t>(c);
  }

 private:
  template <class Bits>
  static void dequantize(const DequantizeCall& c) {
    const auto* scales = static_cast<const Bits*>(c.scales);
    auto* weights = static_cast<Bits*>(c.weights);
    const reference::Format format = format_of(c.type);
    const int inner = static_cast<int>(c.inner_k_tiles);
    if (c.domain == Domain::floating) {
      reference::dequantize_float(format, c.packed, scales, c.n, c.k, c.group_size, inner, weights);
    } else if (c.domain == Domain::integer) {
      reference::dequantize_integer(format, c.packed, scales, c.zero_points, c.n, c.k, c.group_size, inner, weights);
    } else {
      reference::dequantize_none(format, c.packed, scales, c.n, c.k, c.group_size, inner, weights);
    }
  }
};

}  // namespace

MadeSubject make_reference_subject() { return {std::make_unique<ReferenceSubject>(), ""}; }

}  // namespace tileproof
