#include "fuzz/records/compile_facts.h"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <vector>

namespace tileproof {

namespace {

std::vector<std::string> words_of(const std::string& flags) {
  std::istringstream text(flags);
  return {std::istream_iterator<std::string>(text), {}};
}

/// A switch of nvcc: its long and short name, the fact it sets, and the value that --use_fast_math implies.
struct Switch {
  const char* name;
  bool NvccFacts::*fact;
  bool when_fast;
};
constexpr Switch switches[] = {{"ftz", &NvccFacts::ftz, true},
                               {"fmad", &NvccFacts::fmad, true},
                               {"prec-div", &NvccFacts::prec_div, false},
                               {"prec-sqrt", &NvccFacts::prec_sqrt, false}};

}  // namespace

HostFacts host_facts_of(const std::string& flags) {
  const std::vector<std::string> words = words_of(flags);
  HostFacts facts;
  for (const std::string& word : words) {
    for (const char* part : {"-ffast-math", "-Ofast", "-funsafe-math-optimizations", "-ffinite-math-only",
                             "-fassociative-math", "-freciprocal-math", "-fno-signed-zeros"}) {
      if (word == part) facts.fast_math = true;
    }
    if (word == "-fno-fast-math") facts.fast_math = false;
    constexpr const char* contract = "-ffp-contract=";
    if (word.starts_with(contract)) facts.contract = word.substr(std::string(contract).size());
  }
  return facts;
}

NvccFacts nvcc_facts_of(const std::string& flags) {
  const std::vector<std::string> words = words_of(flags);
  NvccFacts facts;
  facts.fast_math = std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word == "--use_fast_math" || word == "-use_fast_math";
  });
  for (const Switch& one : switches) {
    if (facts.fast_math) facts.*one.fact = one.when_fast;
    for (std::size_t i = 0; i < words.size(); ++i) {
      for (const std::string& name : {std::string("--") + one.name, std::string("-") + one.name}) {
        if (words[i].starts_with(name + "=")) facts.*one.fact = words[i] == name + "=true";
        if (words[i] == name && i + 1 < words.size()) facts.*one.fact = words[i + 1] == "true";
      }
    }
  }
  return facts;
}

}  // namespace tileproof
