/// A matrix in row-major order, held by value. Properties compute with it.
#pragma once

#include <cstdint>
#include <vector>

namespace tileproof {

template <class T>
struct Matrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<T> elements;

  Matrix() = default;
  Matrix(std::int64_t rows_, std::int64_t columns_)
      : rows(rows_), columns(columns_), elements(static_cast<std::size_t>(rows_ * columns_)) {}

  bool operator==(const Matrix&) const = default;

  /// The elements as another type.
  template <class Other>
  Matrix<Other> as() const {
    Matrix<Other> result(rows, columns);
    result.elements.assign(elements.begin(), elements.end());
    return result;
  }

  T& operator()(std::int64_t row, std::int64_t column) {
    return elements[static_cast<std::size_t>(row * columns + column)];
  }
  const T& operator()(std::int64_t row, std::int64_t column) const {
    return elements[static_cast<std::size_t>(row * columns + column)];
  }
};

}  // namespace tileproof
