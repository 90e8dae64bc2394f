#include "properties/subjects/mutable_reference.h"

#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

namespace tileproof {

namespace {

/// The sixteen weights of a group's parameters, each computed on first use: groups are long, and the arithmetic is
/// slow.
class WeightsOfGroup {
 public:
  explicit WeightsOfGroup(const Mutation& parts) : parts_(parts) {}

  std::uint32_t of(const WeightInputs& w) {
    if (w.code < 0 || w.code > 15) return computed(w);  // a mutated code may be outside 0..15
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

/// Looks slots up in a table of one block: every other block has the same slots plus an offset.
template <class L>
class SlotsByBlock {
 public:
  explicit SlotsByBlock(Size size) : blocks_of_row_(size.k / L::block.k) {
    for (std::int64_t n = 0; n < L::block.n; ++n) {
      for (std::int64_t k = 0; k < L::block.k; ++k) slots_.push_back(L::slot_of({n, k}, L::block));
    }
  }

  std::int64_t operator()(reference::Element e) const {
    const auto n = static_cast<std::uint64_t>(e.n), k = static_cast<std::uint64_t>(e.k);
    const auto before =
        static_cast<std::int64_t>(n / L::block.n) * blocks_of_row_ + static_cast<std::int64_t>(k / L::block.k);
    return slots_[n % L::block.n * L::block.k + k % L::block.k] + before * reference::slots<L>(L::block);
  }

 private:
  std::int64_t blocks_of_row_;
  std::vector<std::int64_t> slots_;
};

class MutableReference : public SubjectByOperation {
 public:
  MutableReference(Mutation parts, std::unique_ptr<Memory> memory)
      : memory_(std::move(memory)), parts_(std::move(parts)) {}

  Memory& memory() override { return *memory_; }
  void vary(std::uint64_t variation) override { variation_ = variation; }

  void run(const Call& batch) override {
    const Moment moment = moment_of(batch.operation);
    const Mutation& parts = parts_of(batch);
    for (std::int64_t expert = 0; expert < batch.experts; ++expert) {
      Call one = call_of_expert(batch, expert);
      const auto take = [&](const std::function<std::int64_t(std::int64_t)>& whose, std::initializer_list<Role> roles) {
        if (!whose) return;
        const Call other = call_of_expert(batch, whose(expert));
        for (const Role role : roles) one.at(role) = other.at<void>(role);
      };
      take(parts.whose_input, {batch.operation == Operation::pack ? Role::pairs : Role::packed});
      take(parts.whose_parameters, {Role::scales, Role::zeros});
      SubjectByOperation::run(one);
      if (parts.after) parts.after(one, moment);
    }
  }

 private:
  Moment moment_of(Operation operation) {
    const std::lock_guard<std::mutex> lock(counting_);
    return {calls_[operation]++, variation_};
  }

  const Mutation& parts_of(const Call& c) const {
    static const Mutation right;
    return parts_.in.contains(c.operation) ? parts_ : right;
  }

  void pack(const Call& c) override {
    pack_from(c, [&](std::int64_t n, std::int64_t k) { return reference::code_of_pairs(c.pairs(), n, k, c.k); });
  }

  void convert(const Call& c) override {
    const Mutation& parts = parts_of(c);
    pack_from(c, [&](std::int64_t n, std::int64_t k) {
      const std::int64_t from = parts.source ? parts.source(c, {n, k}) : c.format->layout.slot_of({n, k}, c.size());
      return reference::code_at(c.packed_bytes(), from);
    });
  }

  /// @param code_at  (n, k) -> the code
  template <class CodeAt>
  void pack_from(const Call& c, CodeAt code_at) {
    const Mutation& parts = parts_of(c);
    const reference::Layout& layout = format_of_result(c).layout;
    auto* const to = c.at<std::uint8_t>(result_role(c.operation));
    if (!parts.adds_to_output && !parts.leaves_padding) {
      std::memset(to, 0x11 * layout.padding_code, static_cast<std::size_t>(layout.slots(c.size()) / 2));
    }
    for_each(c, [&](std::int64_t n, std::int64_t k, std::int64_t slot) {
      const int code = code_of(parts, c, slot, code_at(n, k));
      const int before = parts.adds_to_output ? reference::code_at(to, slot) : 0;
      reference::set_code_at(to, slot, before | (code & 15));
    });
  }

  void unpack(const Call& c) override {
    const Mutation& parts = parts_of(c);
    for_each(c, [&](std::int64_t n, std::int64_t k, std::int64_t slot) {
      const auto code = static_cast<std::uint32_t>(code_of(parts, c, slot, reference::code_at(c.packed_bytes(), slot)));
      std::int32_t& to = c.codes()[n * c.k + k];
      to = static_cast<std::int32_t>(code + (parts.adds_to_output ? static_cast<std::uint32_t>(to) : 0));
    });
  }

  void dequantize(const Call& c) override {
    const Mutation& parts = parts_of(c);
    const bool own_group = !parts.scale_at && !parts.zero_at;  // parameters are constant within a group
    WeightsOfGroup weights(parts);
    WeightInputs inputs = {float_format_of(c.types.weight), float_format_of(c.types.parameter), c.scheme, 0, 0, 0, 0};
    std::int64_t row = -1;
    std::int64_t group_end = 0;
    for_each(c, [&](std::int64_t n, std::int64_t k, std::int64_t slot) {
      if (!own_group || n != row || k >= group_end) {
        row = n;
        group_end = c.format->group_end({n, k}, c.size(), c.group_size);
        const std::int64_t at = parts.scale_at ? parts.scale_at(c, {n, k}) : c.parameter_at(n, k);
        load_parameters(c, at, parts.zero_at ? parts.zero_at(c, {n, k}) : at, inputs);
      }
      inputs.code = code_of(parts, c, slot, reference::code_at(c.packed_bytes(), slot));
      std::uint32_t weight = weights.of(inputs);
      const std::int64_t to = c.format->result_at({n, k}, c.size());
      if (parts.adds_to_output) weight = added(inputs.weight_type, loaded(c.weights(), c.types.weight, to), weight);
      stored(c.weights(), c.types.weight, to, weight);
    });
  }

  /// @param scale, zero  as Call::parameter_at; a mutant's may lie outside
  static void load_parameters(const Call& c, std::int64_t scale, std::int64_t zero, WeightInputs& inputs) {
    const Size groups = c.groups();
    const auto group_at = [=](std::int64_t number) { return reference::ByGroup::group_at(number, groups); };
    if (c.scheme->in_blocks) {
      const reference::BlockForm& block = c.scheme->block;
      const auto bits_of = [&](reference::Element group) {
        const std::uint8_t* const packed = c.packed_bytes();
        return block.get(packed + block.first_byte(group, groups), group.k % block.groups);
      };
      inputs.scale = bits_of(group_at(scale)).scale;
      if (c.scheme->zero_kind == Zero::value) inputs.zero = bits_of(group_at(zero)).zero;
      return;
    }
    const std::int64_t of_scale = c.scheme->scale_at(group_at(scale), groups);
    const std::int64_t at = c.scheme->zero_kind == Zero::none ? 0 : c.scheme->zero_at(group_at(zero), groups);
    inputs.scale = loaded(c.scales(), c.types.parameter, of_scale);
    if (c.scheme->has_factor) inputs.zero = loaded(c.zeros(), Type::fp32, 0);
    if (c.scheme->zero_kind == Zero::none) return;
    if (c.scheme->zero_kind == Zero::value) {
      inputs.zero = loaded(c.scheme->tensor_count == 1 ? c.scales() : c.zeros(), c.types.parameter, at);
    } else if (c.scheme->zeros_are_packed) {
      const int stored = reference::code_at(c.at<std::uint32_t>(Role::zeros), at);
      inputs.zero_point = reference::zero_of_packed(stored, c.scheme->stored_less);
    } else {
      inputs.zero_point = c.zero_points()[at];
    }
  }

  static std::uint32_t added(reference::FloatFormat format, std::uint32_t a, std::uint32_t b) {
    return reference::rounded(format, reference::sum(reference::decode(format, a), reference::decode(format, b)));
  }
  static const Format& format_of_result(const Call& c) { return format_in(c, result_role(c.operation)); }
  static int code_of(const Mutation& parts, const Call& c, std::int64_t slot, int code) {
    return parts.code ? parts.code(c, slot, code) : code;
  }

  /// @param use  (n, k, slot in the format of the result)
  template <class Use>
  void for_each(const Call& c, Use use) const {
    const Mutation& parts = parts_of(c);
    const auto use_all = [&](const auto& slot_of) {
      for (std::int64_t n = 0; n < c.n; ++n) {
        for (std::int64_t k = 0; k < c.k; ++k) {
          if (!parts.skips || !parts.skips(c, {n, k})) use(n, k, slot_of({n, k}));
        }
      }
    };
    if (parts.slot) return use_all([&](reference::Element e) { return parts.slot(c, e); });
    reference::with_layout(index_of(format_of_result(c)), [&]<class L>() {
      if constexpr (reference::HasBlocks<L>) {
        constexpr std::int64_t least_blocks = 16;  // for fewer, a table is more work than it saves
        if (c.n * c.k > least_blocks * L::block.n * L::block.k) return use_all(SlotsByBlock<L>(c.size()));
      }
      use_all([size = c.size()](reference::Element e) { return L::slot_of(e, size); });
    });
  }

  std::unique_ptr<Memory> memory_;
  Mutation parts_;
  std::mutex counting_;  // guards calls_: several threads may call at once
  std::map<Operation, std::int64_t> calls_;
  std::uint64_t variation_ = 0;
};

}  // namespace

std::uint32_t last_input(const WeightInputs& w) {
  return w.scheme->zero_kind == Zero::point ? static_cast<std::uint32_t>(w.zero_point) : w.zero;
}

std::uint32_t right_weight(const WeightInputs& w) {
  return w.scheme->weight(w.weight_type, w.parameter_type, w.code, w.scale, last_input(w));
}

bool Mutation::touches(Operation operation) const {
  if (!in.contains(operation)) return false;
  if (skips || slot || code || adds_to_output || whose_input || after) return true;
  if (operation == Operation::convert) return source || leaves_padding;
  return operation == Operation::dequantize && (scale_at || zero_at || weight || whose_parameters);
}

std::unique_ptr<Subject> mutable_reference(Mutation parts, std::unique_ptr<Memory> memory) {
  return std::make_unique<MutableReference>(std::move(parts), std::move(memory));
}

}  // namespace tileproof
