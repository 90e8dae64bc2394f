#include "met.h"

#include <algorithm>
#include <string>

#include "values.h"

namespace tileproof {

namespace {

bool has_class(const Met& met, const std::string& name) { return met.classes.count(name) != 0; }
std::string named(const char* what, std::int64_t value) { return std::string(what) + " " + std::to_string(value); }
bool always(const Envelope&) { return true; }

}  // namespace

void Surveyed::expected(std::uint32_t value) {
  ++elements;
  expected_hash = folded(expected_hash, value);
}

void Surveyed::differs(std::int64_t index, std::uint32_t got, const char* reason) {
  std::int64_t number = none;
  if (reason != nullptr) {
    const auto known = std::find(reasons.begin(), reasons.end(), reason);
    number = known - reasons.begin();
    if (known == reasons.end()) reasons.emplace_back(reason);
  }
  differences.push_back({index, got, number});
}

void Met::add(const Met& other) {
  if (other.compared == 0) return;  // what was drawn and never compared was not met
  several_values |= other.several_values || (compared != 0 && other.first_value != first_value);
  if (compared == 0) first_value = other.first_value;
  compared += other.compared;
  include(other);
  for (const auto& [name, count] : other.explained) explained[name] += count;
  for (const auto& [name, one] : other.largest) measured(name, one.value, one.where);
  for (const auto& [way, hash] : other.runs) {
    ran(way, std::vector<std::uint32_t>{static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32)});
  }
  output_value(static_cast<std::uint32_t>(other.output_hash));
  output_value(static_cast<std::uint32_t>(other.output_hash >> 32));
}

void Met::expected_value(std::uint32_t value) {
  if (compared++ == 0) first_value = value;
  several_values |= value != first_value;
}

void Met::measured(const std::string& name, double value, const std::string& where) {
  const auto [at, is_new] = largest.try_emplace(name, Largest{value, where});
  // Of several places, whichever process came to which first, the same one.
  const bool is_elsewhere = value == at->second.value && where < at->second.where;
  if (!is_new && (value > at->second.value || is_elsewhere)) at->second = {value, where};
}

void count_problem(const Problem& p, Met& met) {
  const auto count = [&met](const std::string& name) { ++met.classes[name]; };
  count(named("inner_k_tiles", p.inner_k_tiles));
  count(std::string("out ") + name_of(p.out));
  if (p.n % 8 != 0) count("partial tile");
  if (p.groups() > 1) count("several groups");
  if (p.group_size > 256) count("group of more than 256");
  if ((p.group_size & (p.group_size - 1)) != 0) count("group of no power of two");
  if (p.groups() > p.group_size) count("more groups than group_size");
  if (p.n != p.k) count("not square");
  if (!p.variant.empty()) count(variant_class(p.variant));
  if (p.k == 0) return;
  const std::int64_t supertile = p.supertile_columns();
  count(p.group_size < supertile    ? "group smaller than a supertile"
        : p.group_size == supertile ? "group equal to a supertile"
                                    : "group larger than a supertile");
}

std::string variant_class(const std::string& variant) { return "variant " + variant; }

void count_values(reference::Format format, const std::vector<std::uint32_t>& scales, Met& met) {
  for (const ValueClass& row : value_classes()) {
    const auto contains = [&](std::uint32_t pattern) { return row.contains(format, pattern); };
    if (std::any_of(scales.begin(), scales.end(), contains)) ++met.classes[std::string("scale ") + row.name];
  }
}

const ClassRow every_code_at_every_nibble = {
    "every code at every nibble", always, [](const Met& met) {
      return std::all_of(met.code_at_nibble.begin(), met.code_at_nibble.end(), [](const auto& nibbles) {
        return std::all_of(nibbles.begin(), nibbles.end(), [](bool seen) { return seen; });
      });
    }};

const ClassRow every_inner_k_tiles = {"inner_k_tiles 2, 4 and 8",
                                      [](const Envelope& e) { return e.inner_k_tiles.size() == 3; },
                                      [](const Met& met) {
                                        return has_class(met, "inner_k_tiles 2") && has_class(met, "inner_k_tiles 4") &&
                                               has_class(met, "inner_k_tiles 8");
                                      }};

const ClassRow partial_tile = {"partial tile", [](const Envelope& e) { return e.n_multiple % 8 != 0; },
                               [](const Met& met) { return has_class(met, "partial tile"); }};

const ClassRow several_groups = {"several groups", always,
                                 [](const Met& met) { return has_class(met, "several groups"); }};

const ClassRow groups_around_a_supertile = {
    "groups smaller than, equal to and larger than a supertile",
    [](const Envelope& e) { return e.inner_k_tiles.size() == 3 && e.group_sizes.size() > 2; },
    [](const Met& met) {
      return has_class(met, "group smaller than a supertile") && has_class(met, "group equal to a supertile") &&
             has_class(met, "group larger than a supertile");
    }};

const ClassRow unusual_groups = {
    "groups of more than 256, and of no power of two", [](const Envelope& e) { return e.any_group_size; },
    [](const Met& met) {
      return has_class(met, "group of more than 256") && has_class(met, "group of no power of two");
    }};

const ClassRow more_groups_than_a_group_has_columns = {
    "more groups than group_size", [](const Envelope& e) { return e.any_group_size; },
    [](const Met& met) { return has_class(met, "more groups than group_size"); }};

const ClassRow not_square = {"not square", always, [](const Met& met) { return has_class(met, "not square"); }};

const ClassRow every_class_of_scale = {
    "every class of scale", always, [](const Met& met) {
      return std::all_of(value_classes().begin(), value_classes().end(),
                         [&](const ValueClass& row) { return has_class(met, std::string("scale ") + row.name); });
    }};

const ClassRow every_type = {"bf16, fp16 and fp32", [](const Envelope& e) { return e.types.size() == 3; },
                             [](const Met& met) {
                               return has_class(met, "out bf16") && has_class(met, "out fp16") &&
                                      has_class(met, "out fp32");
                             }};

const ClassRow both_alignments = {"both alignments", [](const Envelope& e) { return e.any_alignment; },
                                  [](const Met& met) {
                                    return has_class(met, "aligned to what must be taken") &&
                                           has_class(met, "aligned as allocators align");
                                  }};

void Met::include(const Met& other) {
  for (std::size_t code = 0; code < code_at_nibble.size(); ++code) {
    for (std::size_t nibble = 0; nibble < code_at_nibble[code].size(); ++nibble) {
      code_at_nibble[code][nibble] |= other.code_at_nibble[code][nibble];
    }
  }
  for (const auto& [name, count] : other.classes) classes[name] += count;
}

std::vector<std::string> unmet(const Met& met, const std::vector<const ClassRow*>& wanted, const Envelope& envelope) {
  if (met.compared == 0) return {"anything at all: no element was compared"};
  std::vector<std::string> names;
  if (!met.several_values) names.push_back("more than one value");
  std::int64_t explained = 0;
  for (const auto& [reason, count] : met.explained) explained += count;
  if (explained == met.compared) names.push_back("an element as specified: all of them were explained");
  for (const ClassRow* row : wanted) {
    if (row->reachable(envelope) && !row->met(met)) names.push_back(row->name);
  }
  return names;
}

}  // namespace tileproof
