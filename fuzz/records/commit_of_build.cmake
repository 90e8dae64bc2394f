# Writes of which commit a tree is, as git says it: "HASH" or "HASH-dirty"; nothing where git does not know.
#   cmake -DFOLDER=SOURCE_FOLDER -DFILE=OUT -P commit_of_build.cmake
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND git -C ${FOLDER} describe --always --dirty --abbrev=40 --exclude *
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  set(commit "")
endif()
file(WRITE ${FILE} "${commit}\n")
