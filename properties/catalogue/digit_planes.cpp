#include "properties/catalogue/digit_planes.h"

#include <algorithm>

namespace tileproof {

namespace {

template <class Visit>
void for_each_plane(const ElementInPlanes& element, Visit visit) {
  for (const std::vector<InPlane>* planes : {&element.plain, &element.complements}) {
    for (const InPlane& one : *planes) visit(one);
  }
}

/// The digit that an element shows in every plane. Empty where planes show different digits, or something that is no
/// digit.
std::optional<std::int64_t> constant_of(const ElementInPlanes& element) {
  const std::int64_t first = element.plain.front().digit;
  bool same = first >= 0;
  for_each_plane(element, [&](const InPlane& one) { same &= one.digit == first; });
  return same ? std::optional(first) : std::nullopt;
}

/// Whether equal digits sent always arrive as equal bits. This counts only if some digit was sent twice, or some digit
/// arrived unchanged.
bool is_decided_by_value(const std::vector<ElementInPlanes>& wrong) {
  std::map<std::int64_t, std::uint32_t> arrives_as;
  bool decided = true, shown = false;
  for (const ElementInPlanes& element : wrong) {
    for_each_plane(element, [&](const InPlane& one) {
      const auto [at, is_first] = arrives_as.try_emplace(one.sent, one.bits);
      shown |= !is_first || one.digit == one.sent;
      decided &= at->second == one.bits;
    });
  }
  return decided && shown;
}

}  // namespace

std::optional<std::int64_t> source_of(const Planes& planes, const ElementInPlanes& element) {
  std::int64_t plain = 0, complemented = 0;
  for (std::size_t digit = 0; digit < element.plain.size(); ++digit) {
    const std::int64_t one = element.plain[digit].digit, other = element.complements[digit].digit;
    if (one < 0 || other < 0) return std::nullopt;
    const int shift = planes.bits_of_digit * static_cast<int>(digit);
    plain |= one << shift;
    complemented |= (planes.base() - 1 - other) << shift;
  }
  if (plain != complemented || plain >= planes.count) return std::nullopt;
  return plain;
}

Arrival arrival_of(const Planes& planes, const std::vector<ElementInPlanes>& wrong) {
  const auto is_nothing = [](const ElementInPlanes& element) { return constant_of(element) == 0; };
  const auto is_moved_or_nothing = [&](const ElementInPlanes& element) {
    const auto source = source_of(planes, element);
    return is_nothing(element) || (source && *source != element.number);
  };
  if (std::all_of(wrong.begin(), wrong.end(), is_nothing)) return Arrival::nothing;
  if (std::all_of(wrong.begin(), wrong.end(), is_moved_or_nothing)) return Arrival::moved;
  // Stale data from another call's plane shows a different digit per element. One digit for several elements means that
  // a value swamps what is sent.
  const bool is_one_digit = wrong.size() > 1 && std::all_of(wrong.begin(), wrong.end(), [&](const auto& element) {
                              return constant_of(element) == constant_of(wrong.front());
                            });
  if (std::all_of(wrong.begin(), wrong.end(), constant_of) && !is_one_digit) return Arrival::stale;
  return is_decided_by_value(wrong) ? Arrival::by_value : Arrival::mixed;
}

std::string arrival_text(Arrival arrival, const std::vector<ElementInPlanes>& wrong, const std::string& moved) {
  switch (arrival) {
    case Arrival::moved:
      return moved;
    case Arrival::nothing:
      return "0 arrives in every plane, whatever is sent: from rows past the end, or from nowhere:";
    case Arrival::stale:
      return "The planes do not agree where this came from, as the same arrives in all of them, whatever is sent: "
             "stale "
             "data, or a result that does not depend on it:";
    case Arrival::mixed:
      return "The planes do not agree where this came from: stale or mixed data:";
    case Arrival::by_value:
      break;
  }
  std::map<std::int64_t, std::int64_t> changed;
  for (const ElementInPlanes& element : wrong) {
    for_each_plane(element, [&](const InPlane& one) {
      if (one.digit != one.sent) changed[one.sent] = one.digit;
    });
  }
  constexpr std::size_t most_changes = 4;
  std::string text;
  std::size_t listed = 0;
  for (const auto& [sent, digit] : changed) {
    if (listed++ == most_changes) break;
    text +=
        (text.empty() ? "" : ", ") + std::to_string(sent) + " as " + (digit < 0 ? "no digit" : std::to_string(digit));
  }
  if (changed.size() > most_changes) text += " and " + std::to_string(changed.size() - most_changes) + " more";
  const std::string arrives = text.empty() ? ":" : ". It arrives, " + text + ":";
  return "What is sent decides what arrives, wherever it is: the value is wrong, not the index" + arrives;
}

const char* cause_of(Arrival arrival) {
  if (arrival == Arrival::moved || arrival == Arrival::nothing) return "";
  return arrival == Arrival::by_value ? "value" : "state";
}

namespace {

/// The digits that arrive at some places in all planes and their complements.
std::vector<ElementInPlanes> seen_in_planes(const SentPlanes& sent, const std::vector<WrongPlace>& wrong) {
  std::vector<std::int64_t> in_result;
  std::vector<ElementInPlanes> seen;
  for (const WrongPlace& one : wrong) {
    in_result.push_back(one.in_result);
    seen.push_back({one.number, {}, {}});
  }
  for (int digit = 0; digit < sent.planes.digits(); ++digit) {
    for (const bool complemented : {false, true}) {
      const GeneratedResult judged = sent.run(digit, complemented, in_result);
      for (std::size_t i = 0; i < wrong.size(); ++i) {
        const auto [arrived, bits] = sent.read(judged.read.at(i), wrong[i]);
        (complemented ? seen[i].complements : seen[i].plain)
            .push_back({sent.planes.digit_of(wrong[i].number, digit, complemented), arrived, bits});
      }
    }
  }
  return seen;
}

}  // namespace

void expect_every_plane_arrives(const Problem& p, const SentPlanes& sent) {
  for (int digit = 0; digit < sent.planes.digits(); ++digit) {
    for (const bool complemented : {false, true}) {
      const ComparedResult judged = sent.run(digit, complemented, {});
      if (judged.differences.wrong == 0) continue;
      const auto sent_to = [&](std::int64_t number) { return sent.planes.digit_of(number, digit, complemented); };
      std::vector<WrongPlace> wrong;
      for (const Differences::One& one : judged.differences.listed) {
        for (const WrongPlace& place : sent.wrong_in(one, sent_to)) {
          if (wrong.size() < Differences::most_listed) wrong.push_back(place);
        }
      }
      std::string text = std::to_string(judged.differences.wrong) + " of " + sent.elements +
                         (judged.differences.wrong == 1 ? " is" : " are") + " wrong in the plane of digit " +
                         std::to_string(digit) + sent.of_numbers + (complemented ? ", complemented. " : ". ");
      if (wrong.empty()) {
        throw Failure("mismatch", text + "Of those listed, all that is wrong is in the padding, which holds code " +
                                      std::to_string(p.layout_of_result().padding_code) + ".");
      }
      const std::vector<ElementInPlanes> seen = seen_in_planes(sent, wrong);
      const Arrival arrival = arrival_of(sent.planes, seen);
      text += arrival_text(arrival, seen, sent.moved);
      for (std::size_t i = 0; i < wrong.size(); ++i) {
        const WrongPlace& one = wrong[i];
        const std::int64_t belongs = sent_to(one.number);
        text += "\n  " + place_text(p, one.row, one.column) + ": expected " +
                (arrival == Arrival::moved
                     ? std::to_string(one.number) + ", got " + sent.source_text(source_of(sent.planes, seen[i]))
                     : sent.digit + std::to_string(belongs) + ", got " + sent.got_text(one, belongs));
      }
      Failure failure("mismatch", text);
      failure.cause = sent.cause(arrival);
      failure.wrong = judged.wrong;
      throw failure;
    }
  }
}

}  // namespace tileproof
