// Public test suites, reproduced step by step: weights from the normal distribution rounded to bf16, parameters and
// codes by tinygemm's eager formula, and the result compared with an identity matmul or the eager formula. The
// judgement is generous to the suites.
#include "properties/selftest/peers.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <mutex>

#include "properties/problem/draw.h"
#include "properties/problem/specification.h"
#include "properties/subjects/together.h"
#include "reference/quantize.h"

namespace tileproof {

const std::vector<PeerCriterion>& peer_criteria() {
  static const std::vector<PeerCriterion> rows = {
      {"largest differences equal", "max |got - eager| == max |identity matmul - eager|, and below 0.1",
       "pytorch/ao, test/test_ops.py, test_dequantize_tensor_core_tiled_layout_correctness_*: diff_op_ao == diff_ao_id",
       [](const ErrorSums& d) {
         return d.largest_from_eager == d.largest_of_identity_from_eager && d.largest_from_eager < 0.1;
       }},
      {"allclose 1e-2", "|got - expected| <= 1e-2 + 1e-2 * |expected|, each",
       "intel/intel-extension-for-pytorch, tests/gpu/examples, int4 linear and dequantize: checking_atol, "
       "checking_rtol",
       [](const ErrorSums& d) { return d.all_close; }},
      {"mean ratio 0.04", "mean |got - expected| < 0.04 * mean |expected|",
       "vllm-project/vllm, tests/kernels/quantization/test_marlin_gemm.py, and pytorch/ao, test/test_ops.py, "
       "test_marlin_24: compute_max_diff < 0.04, there of a matmul",
       [](const ErrorSums& d) { return d.sum_of_errors < 0.04 * d.sum_of_identity; }},
      {"normwise 1e-3", "||got - expected|| < 1e-3 * ||expected||, of Frobenius",
       "the strict end of what is in use: pytorch/ao, test/test_ops.py, test_quant_llm_linear_correctness, has "
       "relative_error < 1e-3 of means, there of a matmul",
       [](const ErrorSums& d) { return std::sqrt(d.squares_of_errors) < 1e-3 * std::sqrt(d.squares_of_identity); }},
      // Besides those four: the same file's exact assertion, where it has aten's kernels to compare with.
      {"identity matmul, exactly", "max |got - identity matmul| == 0",
       "pytorch/ao, test/test_ops.py, test_dequantize_tensor_core_tiled_layout_correctness_*: diff_op_id == 0",
       [](const ErrorSums& d) { return d.largest_from_identity == 0; }},
      {"round trip, exactly", "unpack(pack(codes)) == codes",
       "pytorch/ao, test/test_ops.py, test_unpack_tensor_core_tiled_layout_correctness: torch.equal",
       [](const ErrorSums& d) { return d.codes_come_back; }, true},
  };
  return rows;
}

const std::vector<PeerShape>& peer_shapes() {
  // Source: pytorch/ao, test/test_ops.py: SHAPES, crossed there with INNERKTILES 2, 4, 8 and QGROUP_SIZES 32, 64, 128,
  // 256.
  static const std::vector<PeerShape> rows = {{4096, 4096, tinygemm(8), 32},
                                              {4096, 11008, tinygemm(2), 64},
                                              {11008, 4096, tinygemm(4), 128},
                                              {4096, 14336, tinygemm(8), 256},
                                              {14336, 4096, tinygemm(4), 64}};
  return rows;
}

std::string PeerShape::text() const {
  return std::to_string(n) + " x " + std::to_string(k) + ", " + format->name + ", groups of " +
         std::to_string(group_size);
}

namespace {

using reference::bf16;

float number(std::uint32_t bits) { return std::bit_cast<float>(bits << 16); }

std::uint16_t nearest(double value) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  return static_cast<std::uint16_t>(reference::rounded(bf16, reference::decode(reference::fp32, bits)));
}

/// 65,536 draws of the standard normal distribution (Box-Muller), rounded to bf16, to draw from again.
std::vector<std::uint16_t> normals(std::uint64_t seed) {
  std::vector<std::uint16_t> values(65536);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t bits = drawn(seed, 10, i);
    const double one = (static_cast<double>(bits >> 32) + 1) / 4294967296.0;  // in (0, 1]
    const double angle = static_cast<double>(bits & 0xffffffffu) * (6.283185307179586 / 4294967296.0);
    values[i] = nearest(std::sqrt(-2 * std::log(one)) * std::cos(angle));
  }
  return values;
}

/// The data of a shape, and the right results.
struct Data {
  PeerShape shape;
  Matrix<std::uint8_t> codes;
  std::vector<std::uint8_t> pairs;
  std::vector<std::uint32_t> packed;
  std::vector<std::uint16_t> scales_and_zeros;
  std::vector<std::uint16_t> identity;  // rounded once
  std::vector<std::uint16_t> eager;     // rounded twice
  struct Row {
    double largest = 0;  // |identity - eager|
    double sum = 0;      // of |identity|
    double squares = 0;
  };
  std::vector<Row> rows;

  Data(const PeerShape& shape_, std::uint64_t seed, std::size_t threads)
      : shape(shape_), codes(shape.n, shape.k), rows(static_cast<std::size_t>(shape.n)) {
    scales_and_zeros.resize(codes.elements.size() / static_cast<std::size_t>(shape.group_size) * 2);
    identity.resize(codes.elements.size());
    eager.resize(codes.elements.size());
    const std::vector<std::uint16_t> values = normals(seed);
    together(threads, [&](std::size_t thread) {
      for (std::size_t n = thread; n < rows.size(); n += threads) {
        fill_row(static_cast<std::int64_t>(n), seed, values, rows[n]);
      }
    });
    pairs = specified::pairs(codes);
    packed = specified::packed(*shape.format, codes);
  }

  /// The right weight at an index for any number that unpack may return.
  std::uint16_t weight(std::size_t index, int code) const {
    const auto at = static_cast<std::int64_t>(index);
    const std::uint16_t* both = &scales_and_zeros[place_of_group(at / shape.k, at % shape.k / shape.group_size)];
    return static_cast<std::uint16_t>(reference::dequantized_float(bf16, code, both[0], both[1]));
  }

 private:
  std::size_t place_of_group(std::int64_t n, std::int64_t group) const {
    return static_cast<std::size_t>(group * shape.n + n) * 2;
  }

  void fill_row(std::int64_t n, std::uint64_t seed, const std::vector<std::uint16_t>& values, Row& row) {
    std::vector<std::uint16_t> weights(static_cast<std::size_t>(shape.group_size));
    for (std::int64_t group = 0; group < shape.k / shape.group_size; ++group) {
      const auto first = static_cast<std::size_t>(n * shape.k + group * shape.group_size);
      for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = values[drawn(seed, 11, first + i) >> 48];
      const reference::Extent extent = reference::extent_of(bf16, weights.data(), shape.group_size);
      const auto [scale, zero] = reference::chosen_float(bf16, extent);
      std::uint16_t* both = &scales_and_zeros[place_of_group(n, group)];
      both[0] = static_cast<std::uint16_t>(scale);
      both[1] = static_cast<std::uint16_t>(zero);
      std::array<std::uint16_t, 16> once = {}, twice = {};
      for (std::size_t code = 0; code < 16; ++code) {
        const int number_of_code = static_cast<int>(code);
        once[code] = static_cast<std::uint16_t>(reference::dequantized_float(bf16, number_of_code, scale, zero));
        twice[code] =
            static_cast<std::uint16_t>(reference::eager::dequantized_float(bf16, number_of_code, scale, zero));
      }
      for (std::size_t i = 0; i < weights.size(); ++i) {
        // The eager formula without its intermediate roundings: any code is a valid test value.
        const float steps = std::nearbyint((number(weights[i]) - number(extent.min)) / number(scale));
        const auto code = static_cast<std::uint8_t>(std::clamp(steps, 0.0f, 15.0f));
        codes.elements[first + i] = code;
        identity[first + i] = once[code];
        eager[first + i] = twice[code];
        const double value = number(once[code]);
        row.largest = std::max(row.largest, std::fabs(value - number(twice[code])));
        row.sum += std::fabs(value);
        row.squares += value * value;
      }
    }
  }
};

/// The maximum as torch computes it: NaN if any value is NaN.
void take_largest(double& largest, double value) {
  if (std::isnan(value) || value > largest) largest = std::isnan(largest) ? largest : value;
}

ErrorSums differences(const Data& data, const std::uint16_t* weights) {
  ErrorSums d;
  const auto columns = static_cast<std::size_t>(data.shape.k);
  for (std::size_t n = 0; n < data.rows.size(); ++n) {
    const std::uint16_t* got = weights + n * columns;
    const std::uint16_t* identity = &data.identity[n * columns];
    const Data::Row& row = data.rows[n];
    take_largest(d.largest_of_identity_from_eager, row.largest);
    d.sum_of_identity += row.sum;
    d.squares_of_identity += row.squares;
    if (std::memcmp(got, identity, columns * 2) == 0) {
      take_largest(d.largest_from_eager, row.largest);
      continue;
    }
    for (std::size_t k = 0; k < columns; ++k) {
      const double value = number(got[k]);
      const double expected = number(identity[k]);
      const double error = std::fabs(value - expected);
      take_largest(d.largest_from_identity, error);
      take_largest(d.largest_from_eager, std::fabs(value - number(data.eager[n * columns + k])));
      d.all_close &= error <= 1e-2 + 1e-2 * std::fabs(expected);
      d.sum_of_errors += error;
      d.squares_of_errors += error * error;
    }
  }
  return d;
}

// A mutant counts as found if the criterion rejects any of three results: the weights of correctly packed codes (as
// where a suite packs with aten), the weights of codes that the subject packed itself, and the weights of what it
// unpacks. Two of the suites compare matmuls, whose sums hide more than weights do. Outputs hold old data before a
// call, so that elements left out, or added to, show. All tensors have margins, which nothing checks.

constexpr std::size_t margin_bytes = 65536;

/// The old data of an output: 3.0 in bf16, not a code.
template <class T>
constexpr T leftover = static_cast<T>(0x40404040);

/// An array with margins of zeros. A mutant that accesses memory outside it continues, and is not detected by that.
template <class T>
class Padded {
 public:
  void assign(std::size_t count, T value) {
    elements_.assign(count + 2 * margin, 0);
    std::fill_n(data(), count, value);
  }
  void assign(const std::vector<T>& values) {
    assign(values.size(), 0);
    std::copy(values.begin(), values.end(), data());
  }
  T* data() { return elements_.data() + margin; }

 private:
  static constexpr std::size_t margin = margin_bytes / sizeof(T);
  std::vector<T> elements_ = std::vector<T>(2 * margin);
};

/// The memory of one thread: copies of the inputs, which a subject may change, and room for results.
struct Workspace {
  Padded<std::uint8_t> pairs;
  Padded<std::uint32_t> packed, own_packed;
  Padded<std::uint16_t> scales_and_zeros, weights;
  Padded<std::int32_t> codes;
};

/// Judges one subject on one shape.
void judge_subject(const Data& data, const Mutation& parts, Subject& subject, bool has_memory, Workspace& workspace,
                   Rejections& rejections) {
  const std::size_t count = data.codes.elements.size();
  const bool gives_codes = parts.touches(Operation::pack) || parts.touches(Operation::unpack) || has_memory;
  std::uint32_t* packed = nullptr;
  const auto afresh = [&] {
    workspace.packed.assign(data.packed);
    workspace.scales_and_zeros.assign(data.scales_and_zeros);
    workspace.weights.assign(count, leftover<std::uint16_t>);
    workspace.codes.assign(gives_codes ? count : 0, leftover<std::int32_t>);
    packed = workspace.packed.data();
  };
  const auto run = [&](Operation operation) {
    Call call = {.operation = operation,
                 .format = data.shape.format,
                 .scheme = scheme::floating,
                 .types = Type::bf16,
                 .n = data.shape.n,
                 .k = data.shape.k,
                 .group_size = data.shape.group_size};
    call.at(Role::pairs) = workspace.pairs.data();
    call.at(Role::packed) = packed;
    call.at(Role::codes) = workspace.codes.data();
    call.at(Role::scales) = workspace.scales_and_zeros.data();
    call.at(Role::weights) = workspace.weights.data();
    subject.run(call);
  };
  const auto reject = [&](bool codes_come_back) {
    ErrorSums d = differences(data, workspace.weights.data());
    d.codes_come_back = codes_come_back;
    for (std::size_t i = 0; i < rejections.size(); ++i) {
      if (!peer_criteria()[i].accepts(d)) rejections[i] = true;
    }
  };
  if (has_memory) {
    // Earlier calls with other contents in the same memory, as consecutive tests make them.
    afresh();
    for (std::size_t i = 0; i < data.packed.size(); ++i) packed[i] = ~packed[i];
    run(Operation::unpack);
    run(Operation::dequantize);
  }
  if (parts.touches(Operation::dequantize)) {
    afresh();
    run(Operation::dequantize);
    reject(true);
  }
  if (parts.touches(Operation::unpack)) {
    afresh();
    run(Operation::unpack);
    bool come_back = true;
    for (std::size_t i = 0; i < count; ++i) {
      const std::int32_t code = workspace.codes.data()[i];
      const bool same = code == data.codes.elements[i];
      come_back &= same;
      workspace.weights.data()[i] = same ? data.identity[i] : data.weight(i, code);
    }
    reject(come_back);
  }
  if (parts.touches(Operation::pack)) {
    afresh();
    workspace.pairs.assign(data.pairs);
    workspace.own_packed.assign(data.packed.size(), leftover<std::uint32_t>);
    packed = workspace.own_packed.data();
    run(Operation::pack);
    if (std::equal(data.packed.begin(), data.packed.end(), packed)) return;
    run(Operation::unpack);
    run(Operation::dequantize);
    reject(std::equal(data.codes.elements.begin(), data.codes.elements.end(), workspace.codes.data()));
  }
}

}  // namespace

/// Whether every criterion that can reject the subject has done so. A mutant that leaves pack and unpack alone always
/// returns the codes, so the criterion about codes cannot reject it.
bool Peers::Judged::done() const {
  const bool keeps_codes = !parts.touches(Operation::pack) && !parts.touches(Operation::unpack);
  for (std::size_t i = 0; i < rejections.size(); ++i) {
    if (!rejections[i] && !(keeps_codes && peer_criteria()[i].of_codes)) return false;
  }
  return true;
}

Peers::Peers(std::vector<const Mutant*> mutants, std::uint64_t seed, std::size_t threads)
    : seed_(seed), threads_(threads), mutants_(std::move(mutants)) {
  const auto add = [this](const Mutation& parts, bool has_memory) {
    judged_.push_back({parts, has_memory, mutable_reference(parts), Rejections(peer_criteria().size(), false)});
  };
  for (const Mutant* mutant : mutants_) add(mutant->parts, mutant->has_memory);
  // The control has right parts in place of none, because operations that no part touches are not judged.
  Mutation right;
  right.skips = [](const Call&, reference::Element) { return false; };
  right.weight = right_weight;
  add(right, false);
}

bool Peers::judge(const PeerShape& shape, const std::function<bool()>& stop) {
  const Data data(shape, seed_, threads_);
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> stopped = false;
  std::mutex asking;
  together(threads_, [&](std::size_t) {
    Workspace workspace;
    for (std::size_t i = next++; i < judged_.size() && !stopped; i = next++) {
      Judged& one = judged_[i];
      if (one.done()) continue;
      {
        const std::lock_guard lock(asking);
        if (stop && stop()) stopped = true;
        if (stopped) return;
      }
      judge_subject(data, one.parts, *one.subject, one.has_memory, workspace, one.rejections);
    }
  });
  return !stopped;
}

}  // namespace tileproof
