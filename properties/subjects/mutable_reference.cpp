#include "properties/subjects/mutable_reference.h"

#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "properties/subjects/experts.h"

namespace tileproof {

namespace {

using reference::Place;

/// The sixteen weights of a group's parameters, each computed when it is asked for first: groups are long, and the
/// arithmetic is what takes its time.
class WeightsOfGroup {
 public:
  explicit WeightsOfGroup(const Mutation& parts) : parts_(parts) {}

  std::uint32_t of(const WeightInputs& w) {
    if (w.code < 0 || w.code > 15) return computed(w);  // what a mutated code may be
    if (w.scale != last_.scale || w.zero != last_.zero || w.zero_point != last_.zero_point) {
      last_ = w;
      known_ = 0;
    }
    const auto code = static_cast<std::size_t>(w.code);
    if ((known_ >> code & 1) == 0) {
      known_ |= 1u << code;
      weights_[code] = computed(w);
    }
    return weights_[code];
  }

 private:
  std::uint32_t computed(const WeightInputs& w) const { return parts_.weight ? parts_.weight(w) : right_weight(w); }

  const Mutation& parts_;
  WeightInputs last_ = {};
  std::uint32_t known_ = 0;  // a bit for each code
  std::array<std::uint32_t, 16> weights_ = {};
};

class MutableReference : public Subject {
 public:
  MutableReference(Mutation parts, std::unique_ptr<Memory> memory)
      : memory_(std::move(memory)), parts_(std::move(parts)) {}

  Memory& memory() override { return *memory_; }
  void vary(std::uint64_t variation) override { variation_ = variation; }

  void run(const PackCall& batch) override {
    const Moment moment = moment_of(Operation::pack);
    for (std::int64_t expert = 0; expert < batch.experts; ++expert) {
      PackCall one = call_of_expert(batch, expert);
      if (parts_.whose_input) one.codes = call_of_expert(batch, parts_.whose_input(expert)).codes;
      run_one(one, moment);
    }
  }

  void run(const UnpackCall& batch) override {
    const Moment moment = moment_of(Operation::unpack);
    for (std::int64_t expert = 0; expert < batch.experts; ++expert) {
      UnpackCall one = call_of_expert(batch, expert);
      if (parts_.whose_input) one.packed = call_of_expert(batch, parts_.whose_input(expert)).packed;
      run_one(one, moment);
    }
  }

  void run(const DequantizeCall& batch) override {
    const Moment moment = moment_of(Operation::dequantize);
    for (std::int64_t expert = 0; expert < batch.experts; ++expert) {
      DequantizeCall one = call_of_expert(batch, expert);
      if (parts_.whose_input) one.packed = call_of_expert(batch, parts_.whose_input(expert)).packed;
      if (parts_.whose_parameters) {
        const DequantizeCall other = call_of_expert(batch, parts_.whose_parameters(expert));
        one.scales = other.scales;
        one.zero_points = other.zero_points;
      }
      run_one(one, moment);
    }
  }

 private:
  Moment moment_of(Operation operation) {
    const std::lock_guard<std::mutex> lock(counting_);
    return {calls_[operation]++, variation_};
  }

  void run_one(const PackCall& c, const Moment& moment) {
    if (parts_.instead_of_pack && parts_.instead_of_pack(c, moment)) return;
    if (!parts_.adds_to_output || !parts_.in.contains(Operation::pack)) {
      std::memset(c.packed, 0, static_cast<std::size_t>(reference::words_of(c.n, c.k)) * 4);
    }
    for_each(Operation::pack, c, [&](const Walk& walk, std::int64_t n, std::int64_t k, Place place) {
      const int code = code_of(walk, place, reference::code_of_pairs(c.codes, n, k, c.k));
      c.packed[place.word] |= static_cast<std::uint32_t>(code & 15) << (4 * place.nibble);
    });
    if (parts_.after_pack) parts_.after_pack(c, moment);
  }

  void run_one(const UnpackCall& c, const Moment& moment) {
    if (parts_.instead_of_unpack && parts_.instead_of_unpack(c, moment)) return;
    const bool adds = parts_.adds_to_output && parts_.in.contains(Operation::unpack);
    for_each(Operation::unpack, c, [&](const Walk& walk, std::int64_t n, std::int64_t k, Place place) {
      const int code = code_of(walk, place, code_at(c.packed, place));
      std::int32_t& to = c.codes[n * c.k + k];
      to = adds ? static_cast<std::int32_t>(static_cast<std::uint32_t>(to) + static_cast<std::uint32_t>(code)) : code;
    });
    if (parts_.after_unpack) parts_.after_unpack(c, moment);
  }

  void run_one(const DequantizeCall& c, const Moment& moment) {
    if (parts_.instead_of_dequantize && parts_.instead_of_dequantize(c, moment)) return;
    const bool floating = c.domain == Domain::floating;
    const bool adds = parts_.adds_to_output && parts_.in.contains(Operation::dequantize);
    const bool own_group = !parts_.scale_at && !parts_.zero_at;  // the same from one end of a group to the other
    WeightsOfGroup weights(parts_);
    WeightInputs inputs = {format_of(c.type), c.domain, 0, 0, 0, 0};
    std::int64_t row = -1;
    std::int64_t group_begin = 0;
    for_each(Operation::dequantize, c, [&](const Walk& walk, std::int64_t n, std::int64_t k, Place place) {
      if (!own_group || n != row || k - group_begin >= c.group_size) {
        row = n;
        group_begin = k / c.group_size * c.group_size;
        const std::int64_t own = k / c.group_size * c.n + n;
        const std::int64_t at = parts_.scale_at ? parts_.scale_at(c, n, k) : own;
        const std::int64_t zero_at = parts_.zero_at ? parts_.zero_at(c, n, k) : at;
        inputs.scale = loaded(c.scales, c.type, floating ? 2 * at : at);
        inputs.zero = floating ? loaded(c.scales, c.type, 2 * zero_at + 1) : 0;
        inputs.zero_point = c.domain == Domain::integer ? c.zero_points[zero_at] : 0;
      }
      inputs.code = code_of(walk, place, code_at(c.packed, place));
      std::uint32_t weight = weights.of(inputs);
      if (adds) weight = added(inputs.format, loaded(c.weights, c.type, n * c.k + k), weight);
      stored(c.weights, c.type, n * c.k + k, weight);
    });
    if (parts_.after_dequantize) parts_.after_dequantize(c, moment);
  }

  static std::uint32_t added(reference::FloatFormat format, std::uint32_t a, std::uint32_t b) {
    return reference::rounded(format, reference::sum(reference::decode(format, a), reference::decode(format, b)));
  }
  static int code_at(const std::uint32_t* packed, Place place) {
    return static_cast<int>(packed[place.word] >> (4 * place.nibble) & 15);
  }
  int code_of(const Walk& walk, Place place, int code) const {
    return has_code_ ? parts_.code(walk, place, code) : code;
  }

  template <class Call, class Use>
  void for_each(Operation operation, const Call& c, Use use) {
    const Walk walk = {operation, c.n, c.k, static_cast<int>(c.inner_k_tiles)};
    const bool mutant = parts_.in.contains(operation);
    const bool has_skips = mutant && parts_.skips;
    has_code_ = mutant && parts_.code;
    if (mutant && parts_.place) return for_each_at(walk, has_skips, parts_.place, use);
    // Of a large matrix the places of one supertile are those of every other, so many words further on.
    const std::int64_t supertile_columns = 16 * walk.inner_k_tiles;
    const std::int64_t supertile_words = 16 * walk.inner_k_tiles;
    const bool is_large = c.n * c.k > 16 * 8 * supertile_columns;
    std::vector<Place> places;
    for (std::int64_t n = 0; is_large && n < 8; ++n) {
      for (std::int64_t k = 0; k < supertile_columns; ++k) {
        places.push_back(reference::place_of(n, k, c.k, walk.inner_k_tiles));
      }
    }
    const std::int64_t supertiles = c.k / supertile_columns;
    const int shift = std::countr_zero(static_cast<std::uint64_t>(supertile_columns));
    for_each_at(
        walk, has_skips,
        [&](const Walk&, std::int64_t n, std::int64_t k) {
          if (!is_large) return reference::place_of(n, k, c.k, walk.inner_k_tiles);
          const std::int64_t column = k & (supertile_columns - 1);
          Place place = places[static_cast<std::size_t>(n % 8 * supertile_columns + column)];
          place.word += (n / 8 * supertiles + (k >> shift)) * supertile_words;
          return place;
        },
        use);
  }

  template <class At, class Use>
  void for_each_at(const Walk& walk, bool has_skips, const At& place, Use use) {
    for (std::int64_t n = 0; n < walk.n; ++n) {
      for (std::int64_t k = 0; k < walk.k; ++k) {
        if (has_skips && parts_.skips(walk, n, k)) continue;
        use(walk, n, k, place(walk, n, k));
      }
    }
  }

  std::unique_ptr<Memory> memory_;
  Mutation parts_;
  std::mutex counting_;  // several threads may call at once
  std::map<Operation, std::int64_t> calls_;
  std::uint64_t variation_ = 0;
  bool has_code_ = false;  // of the operation that runs
};

}  // namespace

std::uint32_t right_weight(const WeightInputs& w) {
  if (w.domain == Domain::floating) return reference::dequantized_float(w.format, w.code, w.scale, w.zero);
  if (w.domain == Domain::integer) return reference::dequantized_integer(w.format, w.code, w.scale, w.zero_point);
  return reference::dequantized_none(w.format, w.code, w.scale);
}

bool Mutation::touches(Operation operation) const {
  if (in.contains(operation) && (skips || place || code || adds_to_output)) return true;
  if (whose_input) return true;
  if (operation == Operation::pack) return instead_of_pack || after_pack;
  if (operation == Operation::unpack) return instead_of_unpack || after_unpack;
  return scale_at || zero_at || weight || whose_parameters || instead_of_dequantize || after_dequantize;
}

std::uint32_t loaded(const void* from, Type type, std::int64_t index) {
  if (type == Type::fp32) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, static_cast<const std::uint8_t*>(from) + index * 4, 4);
    return bits;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, static_cast<const std::uint8_t*>(from) + index * 2, 2);
  return bits;
}

void stored(void* to, Type type, std::int64_t index, std::uint32_t bits) {
  if (type == Type::fp32) {
    std::memcpy(static_cast<std::uint8_t*>(to) + index * 4, &bits, 4);
    return;
  }
  const auto half = static_cast<std::uint16_t>(bits);
  std::memcpy(static_cast<std::uint8_t*>(to) + index * 2, &half, 2);
}

std::unique_ptr<Subject> mutable_reference(Mutation parts, std::unique_ptr<Memory> memory) {
  return std::make_unique<MutableReference>(std::move(parts), std::move(memory));
}

}  // namespace tileproof
