#include "properties/mutants/misbehaving.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>

#include "properties/mutants/mutants.h"
#include "properties/problem/draw.h"
#include "properties/registry.h"

namespace tileproof {

namespace {

using Misbehaviour = void (*)(const Call&, const Moment&);

/// Three rows in the last n-tile: one problem of eight has this.
bool has_its_tail(const Call& c) { return c.n % 8 == 3; }

void flip_first(const Call& c) { c.codes()[0] ^= 1; }

void crash(const Call& c, const Moment&) {
  if (has_its_tail(c)) std::raise(SIGSEGV);
}

void hang(const Call& c, const Moment&) {
  while (has_its_tail(c)) usleep(1000);
}

void end(const Call& c, const Moment&) {
  if (has_its_tail(c)) _exit(7);
}

/// Writes far before its output, into memory of the process, not into a fence.
void corrupt(const Call& c, const Moment&) {
  if (has_its_tail(c)) std::memset(reinterpret_cast<std::uint8_t*>(c.codes()) - (std::size_t{1} << 40), 0x5a, 4096);
}

/// Reads the byte past its input and throws its value away.
void read_outside(const Call& c, const Moment&) {
  const volatile std::uint8_t* end = c.packed_bytes() + c.format->layout.slots(c.size()) / 2;
  if (has_its_tail(c)) static_cast<void>(*end);
}

/// True half of the time: ten repeats are all alike once in 512 times.
bool happens() {
  const auto now = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  return mixed(now) >> 63 != 0;
}

/// Wrong half of the time, for problems with its tail.
void be_flaky(const Call& c, const Moment&) {
  if (has_its_tail(c) && happens()) flip_first(c);
}

/// With most layouts, wrong half of the time; with tinygemm-8, always wrong for problems with its tail.
void be_flaky_and_wrong(const Call& c, const Moment&) {
  if (c.format == tinygemm(8) ? has_its_tail(c) : happens()) flip_first(c);
}

/// Wrong from the process's third call on.
void remember(const Call& c, const Moment& moment) {
  if (moment.earlier_calls >= 2) flip_first(c);
}

struct Misbehaving {
  const char* name;
  const char* what;
  Misbehaviour misbehaviour;
};
constexpr Misbehaving misbehaviours[] = {
    {"crashes", "dies of a signal", crash},
    {"hangs", "never returns", hang},
    {"exits", "ends its process", end},
    {"corrupts-memory", "writes where nothing of its call is", corrupt},
    {"reads-outside", "reads a word past its input and throws it away", read_outside},
    {"flaky", "is wrong half of the time", be_flaky},
    {"flaky-and-wrong", "is wrong half of the time, and elsewhere always", be_flaky_and_wrong},
    {"order-dependent", "is wrong from the third call on", remember}};

}  // namespace

const std::vector<SubjectRow>& misbehaving_subjects() {
  static const std::vector<SubjectRow> rows = [] {
    std::vector<SubjectRow> all;
    for (const Misbehaving& misbehaving : misbehaviours) {
      SubjectRow row = subject_row("reference");
      row.name = std::string("misbehaving:") + misbehaving.name;
      row.what = misbehaving.what;
      row.capabilities = kernel_capabilities();
      row.make = [&misbehaving]() -> MadeSubject {
        return {mutable_reference({.in = unpack_alone, .after = misbehaving.misbehaviour}, make_host_memory()), ""};
      };
      all.push_back(row);
    }
    return all;
  }();
  return rows;
}

}  // namespace tileproof
