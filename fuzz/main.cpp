// tileproof: the command line. Wrong usage is one line on stderr that names the argument, and exit code 2.
#include <CLI/CLI.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <iostream>
#include <new>

#include "fuzz/campaign/nearest.h"
#include "fuzz/commands/commands.h"
#include "fuzz/process/interrupt.h"
#include "fuzz/process/screen.h"
#include "properties/problem/problem.h"
#include "properties/subjects/float_mode.h"
#include "reports/reports.h"

namespace tileproof {

namespace {

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

std::vector<std::string> names_of_commands() {
  std::vector<std::string> names;
  for (const CommandRow& row : commands()) names.push_back(row.name);
  return names;
}

int wrong_usage(const std::string& why) {
  std::string line = reports::visible(why);  // it may hold names and messages of libraries
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::cerr << "tileproof: " << line << "\n";
  return exit_code::wrong_usage;
}

/// Reports an argument that CLI11 could not place, with the nearest name that exists.
int unknown_argument(const CLI::App& app, const std::vector<std::string>& arguments) {
  const auto selected = app.get_subcommands();
  const std::string given = arguments.empty() ? "" : arguments.front().substr(0, arguments.front().find('='));
  const bool is_flag = given.starts_with("-");
  const bool of_command = !selected.empty();
  const std::vector<std::string> legal = of_command ? flags_of(*selected.front())
                                         : is_flag  ? flags_of(app)
                                                    : names_of_commands();
  const std::string meant = nearest(given, legal);
  const std::string where = of_command ? " of '" + selected.front()->get_name() + "'" : "";
  return wrong_usage("unknown " +
                     std::string(is_flag      ? "flag"
                                 : of_command ? "argument"
                                              : "command") +
                     " '" + given + "'" + where + (meant.empty() ? "." : ", did you mean '" + meant + "'?") +
                     " See 'tileproof " + (of_command ? selected.front()->get_name() + " " : "") + "--help'.");
}

/// @param name  the name that was given; an option may have several
UsageError no_value(const std::string& name, const CLI::Option& option) {
  const bool is_flag = option.get_items_expected_max() == 0;
  return UsageError(name, "''", is_flag ? "the flag alone" : "a value: " + option.get_description());
}

/// Refuses empty values: CLI11 takes `--flag=` for `--flag` and the next argument for its value, and accepts an empty
/// value.
/// @throws UsageError naming the option
void require_values(CLI::App& app, int count, char** arguments) {
  CLI::App* command = &app;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "--") return;
    for (CLI::App* one : command->get_subcommands([](const CLI::App*) { return true; })) {
      if (one->check_name(argument)) command = one;
    }
    const bool ends = argument.starts_with("-") && argument.find('=') == argument.size() - 1;
    if (!ends && !argument.empty()) continue;
    const std::string name = ends ? argument.substr(0, argument.size() - 1) : arguments[i - 1];
    for (CLI::App* of = command; of != nullptr; of = of->get_parent()) {
      const CLI::Option* option = of->get_option_no_throw(name);
      if (option != nullptr) throw no_value(name, *option);
    }
  }
}

void require_values(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    const auto& values = option->results();
    const bool takes_none = option->get_expected_min() == 0;  // an optional value may be left out, which reads as ''
    if (!takes_none && std::find(values.begin(), values.end(), "") != values.end()) {
      throw no_value(option->get_name(), *option);
    }
  }
  for (const CLI::App* selected : app.get_subcommands()) require_values(*selected);
}

int run(int count, char** arguments) {
  CLI::App app(
      "tileproof proves int4 weight kernels: pack, unpack and dequantize of PyTorch's tensor-core-tiled layout.",
      "tileproof");
  app.set_version_flag("--version", "tileproof " TILEPROOF_VERSION);
  app.footer(
      "'tileproof test' runs the test suite, 'tileproof wheel --out FOLDER' builds the Python package.\n"
      "Exit codes: 0 all passed; 1 something failed; 2 wrong usage; 3 mistrusted, or nothing ran; 4 the machine is at "
      "fault.");
  std::vector<std::pair<CLI::App*, std::function<int()>>> runs;
  for (const CommandRow& row : commands()) {
    CLI::App* command = app.add_subcommand(row.name, row.what);
    command->footer(std::string("Examples:\n") + row.examples);
    runs.emplace_back(command, row.set_up(*command));
  }
  if (count < 2) {
    std::cerr << app.help();
    return exit_code::wrong_usage;
  }
  require_values(app, count, arguments);
  try {
    app.parse(count, arguments);
  } catch (const CLI::ExtrasError&) {
    return unknown_argument(app, app.remaining(true));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    return wrong_usage(error.what());
  }
  require_values(app);
  for (const auto& [command, run_command] : runs) {
    if (!command->parsed()) continue;
    const bool is_for_people = !command->get_group().empty();
    const std::string unusual = what_is_unusual(inherited_mode());
    if (is_for_people && !unusual.empty()) {
      std::cerr << "tileproof: this process was begun in a mode in which " << unusual
                << "; what it judges, it judges in IEEE 754's default mode\n";
    }
    return run_command();
  }
  return unknown_argument(app, app.remaining(true));
}

}  // namespace

}  // namespace tileproof

int main(int count, char** arguments) {
  // Open the standard streams that the caller has closed, so that no file gets their descriptors.
  while (true) {
    const int descriptor = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (descriptor > STDERR_FILENO || descriptor < 0) {
      close(descriptor);
      break;
    }
    fcntl(descriptor, F_SETFD, 0);
  }
  tileproof::survive_failed_writes();
  tileproof::leave_inherited_mode();
  try {
    const int exit = tileproof::run(count, arguments);
    // A reader that closes the pipe is no error: records and exit code hold the rest.
    if (std::cout.flush() || tileproof::has_lost_its_reader(STDOUT_FILENO)) return exit;
    std::cerr << "tileproof: cannot write to standard output\n";
    return exit == tileproof::exit_code::passed ? tileproof::exit_code::machine_at_fault : exit;
  } catch (const tileproof::UsageError& illegal) {
    return tileproof::wrong_usage(illegal.what());
  } catch (const std::bad_alloc&) {
    std::cerr << "tileproof: out of memory\n";
    return tileproof::exit_code::machine_at_fault;
  } catch (const std::exception& error) {
    std::cerr << "tileproof: " << tileproof::reports::visible(error.what()) << "\n";
    return tileproof::exit_code::machine_at_fault;
  }
}
