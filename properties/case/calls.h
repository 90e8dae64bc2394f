/// Calls of PyTorch operators over a problem's data, and what they are to give.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "properties/case/case.h"
#include "properties/subjects/operators.h"

namespace tileproof {

/// What the calls of a case are made of. The matmul's sums are exact: see whole_activations.
struct CallData {
  Matrix<std::uint8_t> codes;         // [n][k]
  Parameters parameters;              // of the float domain
  Matrix<std::uint16_t> activations;  // [16][k], bf16
};

/// A function of the problem alone.
CallData data_of(const Problem&, Operation);
/// The same of a case's problem; what it holds counts as met.
CallData drawn_data(Case&, Operation);
/// Other data of the same sizes, for alternate inputs and for experts beside the first. @param which  1 or more
CallData other_data(const Case&, Operation, std::uint64_t which);

/// Weights that are whole numbers -8..7, activations -1, 0 and 1 with at most sixteen that are not 0: every sum is a
/// whole number of at most 128, exact in fp32 in any order and exact in bf16. One wrong code or one lost term shows.
Matrix<std::uint16_t> whole_activations(const Problem&);
Parameters unit_scales(const Problem&);
Matrix<std::uint32_t> whole_products(const Problem&, const Matrix<std::uint16_t>& activations,
                                     const Matrix<std::uint8_t>& codes);

OperatorCall legal_call(const Problem&, Operation, const CallData&);

/// The ways in which a call can have nothing to do: "no-rows", "no-columns" and the like.
std::vector<std::string> empty_variants(Operation);
/// The call of a problem with one of its sizes 0. @param variant  one of those
OperatorCall empty_call(const Problem&, Operation, const std::string& variant);

/// "packed_w = int32 [1, 2, 32, 1], group_size = 32"
std::string text_of(const OperatorCall&);

/// The legal call's result is as specified: type, sizes, every element. @throws Failure
void expect_specified(Case&, Operation, const CallData&, const OperatorResult&);
/// The same for a problem that is not the case's own.
void expect_specified_of(Case&, const Problem&, Operation, const CallData&, const OperatorResult&);
/// Type and sizes are. @throws Failure
void expect_form(Case&, Operation, const OperatorResult&);
/// The result of an empty call has the form of a full one: its type, sizes and device, and strides as a full result has
/// them. @param full  the result of a call that has something to do
void expect_form_of_empty(const Problem&, Operation, const std::string& variant, const OperatorResult& empty,
                          const OperatorResult& full);
/// Two results of the same call are the same in type, sizes and every element. @throws Failure
void expect_same(Case&, const OperatorResult& got, const OperatorResult& expected);

}  // namespace tileproof
