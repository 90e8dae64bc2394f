/// Tells what a standard stream is connected to. All output code asks here.
#pragma once

#include <string>

namespace tileproof {

/// Whether a stream is a terminal that takes escape sequences and whose user wants them: NO_COLOR
/// (https://no-color.org) is empty or not set, and TERM is set to something other than dumb.
bool takes_escapes(int descriptor);

/// The terminal's width in columns: COLUMNS, else what the terminal reports, else `otherwise`.
int columns_of(int descriptor, int otherwise);

/// Whether the stream's reader is gone: a pipe whose reader has ended, or a terminal that was closed.
bool has_lost_its_reader(int descriptor);

}  // namespace tileproof
