/// The one answer to what a standard stream is shown on.
#pragma once

#include <string>

namespace tileproof {

/// Whether a stream is a terminal that takes escape sequences, and its user wants them: NO_COLOR (https://no-color.org)
/// is empty or not set, and TERM says what terminal it is, other than dumb.
bool takes_escapes(int descriptor);

/// Columns of the terminal: COLUMNS, else what the terminal says, else `otherwise`.
int columns_of(int descriptor, int otherwise);

/// Whether nobody reads the stream any more: a pipe whose reader has ended, a terminal that was closed.
bool has_lost_its_reader(int descriptor);

}  // namespace tileproof
