// tileproof: the command line. Wrong usage is one line on stderr that names the argument, and exit code 2.
#include <CLI/CLI.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <iostream>
#include <new>

#include "../properties/problem.h"
#include "../reports/reports.h"
#include "commands.h"
#include "nearest.h"

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
  std::string line = reports::visible(why);  // names, messages of libraries
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::cerr << "tileproof: " << line << "\n";
  return exit_code::wrong_usage;
}

/// What CLI11 could not place, with the nearest thing that exists.
int unknown_argument(const CLI::App& app, const std::vector<std::string>& arguments) {
  const auto chosen = app.get_subcommands();
  const std::string given = arguments.empty() ? "" : arguments.front().substr(0, arguments.front().find('='));
  const bool is_flag = given.starts_with("-");
  const bool of_command = !chosen.empty();
  const std::vector<std::string> legal = of_command ? flags_of(*chosen.front())
                                         : is_flag  ? flags_of(app)
                                                    : names_of_commands();
  const std::string meant = nearest(given, legal);
  const std::string where = of_command ? " of '" + chosen.front()->get_name() + "'" : "";
  return wrong_usage("unknown " +
                     std::string(is_flag      ? "flag"
                                 : of_command ? "argument"
                                              : "command") +
                     " '" + given + "'" + where + (meant.empty() ? "." : ", did you mean '" + meant + "'?") +
                     " See 'tileproof " + (of_command ? chosen.front()->get_name() + " " : "") + "--help'.");
}

int run(int count, char** arguments) {
  CLI::App app(
      "tileproof proves int4 weight kernels: pack, unpack and dequantize of PyTorch's tensor-core-tiled layout.",
      "tileproof");
  app.set_version_flag("--version", "tileproof " TILEPROOF_VERSION);
  app.footer(
      "'tileproof test' runs the test suite.\nExit codes: 0 all passed; 1 something failed; 2 wrong usage; 3 "
      "mistrusted, "
      "or nothing ran; 4 the machine is at fault.");
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
  try {
    app.parse(count, arguments);
  } catch (const CLI::ExtrasError&) {
    return unknown_argument(app, app.remaining(true));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    return wrong_usage(error.what());
  }
  for (const auto& [command, run_command] : runs) {
    if (command->parsed()) return run_command();
  }
  return unknown_argument(app, app.remaining(true));
}

}  // namespace

}  // namespace tileproof

int main(int count, char** arguments) {
  // A file must not be opened as a standard stream that the caller has closed.
  while (true) {
    const int descriptor = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (descriptor > STDERR_FILENO || descriptor < 0) {
      close(descriptor);
      break;
    }
    fcntl(descriptor, F_SETFD, 0);
  }
  try {
    const int exit = tileproof::run(count, arguments);
    if (std::cout.flush()) return exit;
    std::cerr << "tileproof: cannot write to standard output\n";
    return tileproof::exit_code::machine_at_fault;
  } catch (const tileproof::Illegal& illegal) {
    return tileproof::wrong_usage(illegal.what());
  } catch (const std::bad_alloc&) {
    std::cerr << "tileproof: out of memory\n";
    return tileproof::exit_code::machine_at_fault;
  } catch (const std::exception& error) {
    std::cerr << "tileproof: " << tileproof::reports::visible(error.what()) << "\n";
    return tileproof::exit_code::machine_at_fault;
  }
}
