// Prints ARGUMENTS.md.
#include <cstdio>

#include "kernels/torch/operator_document.h"

int main() {
  std::fputs(tileproof::kernels::operator_document().c_str(), stdout);
  return 0;
}
