/// The table of legal arguments, as the document ARGUMENTS.md.
#pragma once

#include <string>

namespace tileproof::kernels {

std::string operator_document();

}  // namespace tileproof::kernels
