#include "fuzz/commands/commands.h"

#include <CLI/CLI.hpp>

#include <sstream>

#include "properties/problem/problem.h"

namespace tileproof {

std::string as_given(const CLI::App& app) {
  std::string text = app.get_name();
  for (const CLI::Option* option : app.get_options()) {
    const bool is_flag = option->get_items_expected_max() == 0;
    for (const std::string& value : option->results()) {
      text += " " + (option->get_positional() ? value : option->get_name() + (is_flag ? "=" : " ") + value);
    }
  }
  return text;
}

double seconds_of(const char* argument, const std::string& duration) {
  if (duration.empty()) return 0;
  const std::size_t unit_at = duration.find_first_not_of("0123456789.");
  const std::string number = duration.substr(0, unit_at);
  const std::string unit = unit_at == std::string::npos ? "s" : duration.substr(unit_at);
  const double factor = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  double value = 0;
  std::istringstream text(number);
  if (number.empty() || !(text >> value) || !text.eof() || factor == 0 || value <= 0) {
    throw UsageError(argument, "'" + duration + "'", "a time such as 90s (or 90), 5m or 4h");
  }
  return value * factor;
}

const std::vector<CommandRow>& commands() {
  static const std::vector<CommandRow> rows = {
      {"verify", "judge every subject this machine can run by every property; table, records, verdict",
       "  tileproof verify --subject host --property value/ --for 5m\n"
       "  tileproof verify --library libmine.so --namespace mine",
       set_up_verify},
      {"verdicts", "judge the libraries that are installed; one table of what is exact, and how the rest differs",
       "  tileproof verdicts\n"
       "  tileproof verdicts bitsandbytes_nf4 --python-with elsewhere/bin/python3 --out verdicts",
       set_up_verdicts},
      {"prove", "put properties to their whole domain: what they hold for is proved, not sampled",
       "  tileproof prove arithmetic --subject host --budget 10m\n"
       "  tileproof prove layout --library libmine.so --namespace mine",
       set_up_prove},
      {"fuzz", "search through cases without end, in processes that may die of them",
       "  tileproof fuzz --subject host --for 4h\n"
       "  tileproof fuzz --resume build/dev/runs/2026-11-22T15-50-00Z --for 1h",
       set_up_fuzz},
      {"replay", "run one problem again: the line that a failure printed",
       "  tileproof replay --property=bits/unpack_returns_every_packed_code --subject=host --n=8 --k=32 --seed=0x1\n"
       "  tileproof replay \"$(head -n 1 problems.txt)\"",
       set_up_replay},
      {"bench", "how fast the kernels and the harness are, beside what the machine can do, and against a baseline",
       "  tileproof bench --json now.json\n"
       "  tileproof bench --subject cuda --only 'dequantize bf16' --against baseline.json",
       set_up_bench},
      {"report", "from the records of runs to one page that a reviewer signs, against a baseline",
       "  tileproof report build/dev/runs/2026-11-22T15-50-00Z\n"
       "  tileproof report now proofs bench.json --against reports/baselines/two-cores --out report/report.html",
       set_up_report},
      {"list", "name what there is: properties, subjects, formats, mutants, profiles or known findings",
       "  tileproof list properties\n  tileproof list subjects", set_up_list},
      {"device", "the GPU of this machine, as JSON", "", set_up_device},
      {"watched", "the distilled cases, for a tool that watches them", "", set_up_watched},
      {"work", "what a process of its own runs cases with", "", set_up_work},
  };
  return rows;
}

}  // namespace tileproof
