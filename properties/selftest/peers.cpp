// Public test suites, reproduced step by step: weights from the normal distribution rounded to bf16, parameters and
// codes by tinygemm's eager formula, and the result compared with an identity matmul or the eager formula. The
// judgement is generous to the suites.
#include "properties/selftest/peers.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <thread>

#include "properties/problem/draw.h"
#include "reference/quantize.h"

namespace tileproof {

namespace {

using reference::bf16;

constexpr std::size_t margin_bytes = 65536;
constexpr std::uint8_t leftover = 0x40;  // 3.0 in bf16, not a code

// A mutant counts as found if the criterion rejects any of three results: the weights of correctly packed codes (as
// where a suite packs with aten), the weights of codes that the subject packed itself, and the weights of what it
// unpacks. Two of the suites compare matmuls, whose sums hide more than weights do. Outputs hold old data before a
// call, so that elements left out, or added to, show. All tensors have margins, which nothing checks.

/// An array with margins of zeros. A mutant that accesses memory outside it continues, and is not detected by that.
template <class T>
class Padded {
 public:
  void resize(std::size_t count, std::uint8_t fill = 0) {
    count_ = count;
    bytes_.assign(count * sizeof(T) + 2 * margin_bytes, 0);
    std::fill_n(bytes_.begin() + margin_bytes, count * sizeof(T), fill);
  }
  void copy(const Padded& other) {
    count_ = other.count_;
    bytes_.assign(other.bytes_.begin(), other.bytes_.end());
  }
  T* data() { return reinterpret_cast<T*>(bytes_.data() + margin_bytes); }
  const T* data() const { return reinterpret_cast<const T*>(bytes_.data() + margin_bytes); }
  std::size_t size() const { return count_; }

 private:
  std::size_t count_ = 0;
  std::vector<std::uint8_t> bytes_;
};

float number(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

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

/// Calls `use` with ranges of 0..count on `threads` threads.
template <class Use>
void in_ranges(std::int64_t count, int threads, Use use) {
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) {
    others.emplace_back([=] { use(count * i / threads, count * (i + 1) / threads); });
  }
  use(std::int64_t{0}, count / threads);
  for (std::thread& other : others) other.join();
}

}  // namespace

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

struct Peers::Judged {
  const Mutant* mutant;  // nullptr: the control
  Mutation parts;
  std::unique_ptr<Subject> subject;
  Rejections rejections;

  /// Whether every criterion that can reject the subject has done so. A mutant that leaves pack and unpack alone always
  /// returns the codes, so the criterion about codes cannot reject it.
  bool done() const {
    const bool keeps_codes = !parts.touches(Operation::pack) && !parts.touches(Operation::unpack);
    for (std::size_t i = 0; i < rejections.size(); ++i) {
      if (!rejections[i] && !(keeps_codes && peer_criteria()[i].of_codes)) return false;
    }
    return true;
  }
};

/// The data of a shape, and the right results.
struct Peers::Data {
  PeerShape shape;
  Padded<std::uint8_t> pairs;
  Padded<std::uint32_t> packed;
  Padded<std::uint16_t> scales_and_zeros;
  std::vector<std::uint8_t> codes;
  std::vector<std::uint16_t> identity;  // rounded once
  std::vector<std::uint16_t> eager;     // rounded twice
  struct Row {
    double largest = 0;  // |identity - eager|
    double sum = 0;      // of |identity|
    double squares = 0;
  };
  std::vector<Row> rows;

  Data(const PeerShape& shape_, std::uint64_t seed, int threads) : shape(shape_) {
    const auto count = static_cast<std::size_t>(shape.n * shape.k);
    pairs.resize(count / 2);
    packed.resize(static_cast<std::size_t>(shape.format->layout.units({shape.n, shape.k})));
    scales_and_zeros.resize(count / static_cast<std::size_t>(shape.group_size) * 2);
    codes.resize(count);
    identity.resize(count);
    eager.resize(count);
    rows.resize(static_cast<std::size_t>(shape.n));
    const std::vector<std::uint16_t> values = normals(seed);
    in_ranges(shape.n, threads, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t n = from; n < to; ++n) fill_row(n, seed, values);
    });
    reference::with_layout(index_of(*shape.format), [&]<class L>() {
      if constexpr (std::is_same_v<typename L::Storage, std::uint32_t>) {
        reference::convert<reference::Plain, L>(pairs.data(), {shape.n, shape.k}, packed.data());
      }
    });
  }

  /// The right weight for any number that unpack may return.
  std::uint16_t weight(std::int64_t n, std::int64_t k, int code) const {
    const std::uint16_t* both = &scales_and_zeros.data()[(k / shape.group_size * shape.n + n) * 2];
    return static_cast<std::uint16_t>(reference::dequantized_float(bf16, code, both[0], both[1]));
  }

 private:
  void fill_row(std::int64_t n, std::uint64_t seed, const std::vector<std::uint16_t>& values) {
    std::vector<std::uint16_t> weights(static_cast<std::size_t>(shape.group_size));
    Row& row = rows[static_cast<std::size_t>(n)];
    for (std::int64_t group = 0; group < shape.k / shape.group_size; ++group) {
      const std::int64_t first = n * shape.k + group * shape.group_size;
      std::uint16_t least = 0, most = 0;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        weights[i] = values[drawn(seed, 11, static_cast<std::uint64_t>(first) + i) >> 48];
        if (i == 0 || number(weights[i]) < number(least)) least = weights[i];
        if (i == 0 || number(weights[i]) > number(most)) most = weights[i];
      }
      const reference::FloatParameters chosen = reference::chosen_float(bf16, {least, most});
      std::uint16_t* both = &scales_and_zeros.data()[(group * shape.n + n) * 2];
      both[0] = static_cast<std::uint16_t>(chosen.scale);
      both[1] = static_cast<std::uint16_t>(chosen.zero);
      std::array<std::uint16_t, 16> once = {}, twice = {};
      for (int code = 0; code < 16; ++code) {
        const auto at = static_cast<std::size_t>(code);
        once[at] = static_cast<std::uint16_t>(reference::dequantized_float(bf16, code, chosen.scale, chosen.zero));
        const std::uint32_t product = reference::eager::multiply(bf16, chosen.scale, reference::whole(code - 8));
        twice[at] = static_cast<std::uint16_t>(reference::eager::add(bf16, product, chosen.zero));
      }
      const float scale = number(both[0]);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        // The eager formula without its intermediate roundings: any code is a valid test value.
        const float steps = std::nearbyint((number(weights[i]) - number(least)) / scale);
        const auto code = static_cast<std::uint8_t>(std::clamp(steps, 0.0f, 15.0f));
        const auto at = static_cast<std::size_t>(first) + i;
        codes[at] = code;
        identity[at] = once[code];
        eager[at] = twice[code];
        pairs.data()[at / 2] |= static_cast<std::uint8_t>(at % 2 == 0 ? code << 4 : code);
        const double value = number(once[code]);
        row.largest = std::max(row.largest, std::fabs(value - number(twice[code])));
        row.sum += std::fabs(value);
        row.squares += value * value;
      }
    }
  }
};

namespace {

/// The maximum as torch computes it: NaN if any value is NaN.
void take_largest(double& largest, double value) {
  if (std::isnan(value) || value > largest) largest = std::isnan(largest) ? largest : value;
}

/// The memory of one thread: copies of the inputs, which a subject may change, and room for results.
struct Workspace {
  Padded<std::uint8_t> pairs;
  Padded<std::uint32_t> packed, own_packed;
  Padded<std::uint16_t> scales_and_zeros, weights;
  Padded<std::int32_t> codes;
};

}  // namespace

namespace {

template <class Data>
ErrorSums differences(const Data& data, const std::uint16_t* weights) {
  ErrorSums d;
  const auto columns = static_cast<std::size_t>(data.shape.k);
  for (std::size_t n = 0; n < data.rows.size(); ++n) {
    const std::uint16_t* got = weights + n * columns;
    const std::uint16_t* identity = &data.identity[n * columns];
    const auto& row = data.rows[n];
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

void reject(Rejections& rejections, const ErrorSums& d) {
  for (std::size_t i = 0; i < rejections.size(); ++i) {
    if (!peer_criteria()[i].accepts(d)) rejections[i] = true;
  }
}

/// A call on a workspace with the given packed words.
template <class Data>
Call call_on(Operation operation, const Data& data, Workspace& workspace, std::uint32_t* packed) {
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
  return call;
}

/// Makes earlier calls with other contents in the same memory, as consecutive tests do.
template <class Data>
void earlier_calls(const Data& data, Subject& subject, Workspace& workspace) {
  std::uint32_t* words = workspace.packed.data();
  for (std::size_t i = 0; i < workspace.packed.size(); ++i) words[i] = ~words[i];
  subject.run(call_on(Operation::unpack, data, workspace, words));
  subject.run(call_on(Operation::dequantize, data, workspace, words));
}

/// Judges one subject on one shape.
template <class Data>
void judge_subject(const Data& data, const Mutation& parts, Subject& subject, bool has_memory, Workspace& workspace,
                   Rejections& rejections) {
  const PeerShape& shape = data.shape;
  const auto count = static_cast<std::size_t>(shape.n * shape.k);
  const auto afresh = [&] {
    workspace.packed.copy(data.packed);
    workspace.scales_and_zeros.copy(data.scales_and_zeros);
    workspace.weights.resize(count, leftover);
  };
  afresh();
  workspace.codes.resize(parts.touches(Operation::unpack) || has_memory ? count : 0, leftover);
  if (has_memory) {
    earlier_calls(data, subject, workspace);
    afresh();
  }
  if (parts.touches(Operation::dequantize)) {
    subject.run(call_on(Operation::dequantize, data, workspace, workspace.packed.data()));
    reject(rejections, differences(data, workspace.weights.data()));
  }
  if (parts.touches(Operation::unpack)) {
    afresh();
    workspace.codes.resize(count, leftover);
    subject.run(call_on(Operation::unpack, data, workspace, workspace.packed.data()));
    bool come_back = true;
    for (std::int64_t n = 0; n < shape.n; ++n) {
      for (std::int64_t k = 0; k < shape.k; ++k) {
        const std::int64_t at = n * shape.k + k;
        const std::int32_t code = workspace.codes.data()[at];
        const bool same = code == data.codes[static_cast<std::size_t>(at)];
        come_back &= same;
        workspace.weights.data()[at] = same ? data.identity[static_cast<std::size_t>(at)] : data.weight(n, k, code);
      }
    }
    ErrorSums d = differences(data, workspace.weights.data());
    d.codes_come_back = come_back;
    reject(rejections, d);
  }
  if (parts.touches(Operation::pack)) {
    afresh();
    workspace.pairs.copy(data.pairs);
    workspace.own_packed.resize(data.packed.size(), leftover);
    std::uint32_t* own = workspace.own_packed.data();
    subject.run(call_on(Operation::pack, data, workspace, own));
    if (std::memcmp(workspace.own_packed.data(), data.packed.data(), data.packed.size() * 4) == 0) return;
    workspace.codes.resize(count, leftover);
    subject.run(call_on(Operation::unpack, data, workspace, own));
    subject.run(call_on(Operation::dequantize, data, workspace, own));
    ErrorSums d = differences(data, workspace.weights.data());
    d.codes_come_back = std::equal(data.codes.begin(), data.codes.end(), workspace.codes.data());
    reject(rejections, d);
  }
}

}  // namespace

Peers::Peers(std::vector<const Mutant*> mutants, std::uint64_t seed, int threads)
    : seed_(seed), threads_(threads), mutants_(std::move(mutants)) {
  const auto add = [this](const Mutant* mutant) {
    const Mutation parts = mutant == nullptr ? Mutation() : mutant->parts();
    judged_.push_back({mutant, parts, mutable_reference(parts), Rejections(peer_criteria().size(), false)});
  };
  for (const Mutant* mutant : mutants_) add(mutant);
  add(nullptr);
}

Peers::~Peers() = default;

bool Peers::judge(const PeerShape& shape, const std::function<bool()>& stop) {
  const Data data(shape, seed_, threads_);
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> stopped = false;
  std::mutex asking;
  std::exception_ptr broken;
  const auto work = [&] {
    Workspace workspace;
    for (std::size_t i = next++; i < judged_.size() && !stopped; i = next++) {
      Judged& one = judged_[i];
      if (one.done()) continue;
      {
        const std::lock_guard lock(asking);
        if (stop && stop()) stopped = true;
        if (stopped) return;
      }
      try {
        if (one.mutant != nullptr) {
          judge_subject(data, one.parts, *one.subject, one.mutant->has_memory, workspace, one.rejections);
          continue;
        }
        // Judge all of the control's operations: an empty mutation touches no operation, and operations it does not
        // touch are left out.
        Mutation all;
        all.skips = [](const Walk&, std::int64_t, std::int64_t) { return false; };
        all.weight = right_weight;
        judge_subject(data, all, *one.subject, false, workspace, one.rejections);
      } catch (...) {
        const std::lock_guard lock(asking);
        broken = std::current_exception();
        stopped = true;
      }
    }
  };
  in_ranges(threads_, threads_, [&](std::int64_t, std::int64_t) { work(); });
  if (broken) std::rethrow_exception(broken);
  return !stopped;
}

const std::vector<const Mutant*>& Peers::mutants() const { return mutants_; }
const Rejections& Peers::rejections_of(std::size_t mutant) const { return judged_.at(mutant).rejections; }
const Rejections& Peers::rejections_of_control() const { return judged_.back().rejections; }

}  // namespace tileproof
