/// HTML that is escaped by construction: a Markup consists of text, which is escaped, and of elements, whose names are
/// literals of this program, so no string gets in unescaped. Internal to reports/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tileproof::reports {

/// The name of an element or an attribute. It must be a literal and no name that runs or fetches something; anything
/// else does not compile.
class Name {
 public:
  consteval Name(const char* literal) : text_(literal) {
    const bool runs_or_fetches =
        text_.starts_with("on") || text_ == "href" || text_ == "src" || text_ == "style" || text_ == "script";
    if (runs_or_fetches || text_.empty()) throw "not a name for a Markup";
  }
  constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

class Markup {
 public:
  Markup() = default;
  // Escapes the text, and makes control characters visible.
  Markup(const std::string& text);  // NOLINT: meant to convert
  Markup(const char* text) : Markup(std::string(text)) {}

  Markup& operator+=(const Markup& more) {
    bytes_ += more.bytes_;
    return *this;
  }
  friend Markup operator+(Markup first, const Markup& second) { return first += second; }
  bool empty() const { return bytes_.empty(); }
  const std::string& bytes() const { return bytes_; }

 private:
  friend Markup element(Name, const std::vector<struct Attribute>&, const Markup&);
  friend Markup link_to(Name, const Markup&);

  std::string bytes_;
};

struct Attribute {
  Name name;
  std::string value;
};

Markup element(Name tag, const std::vector<Attribute>&, const Markup& children);
inline Markup element(Name tag, const Markup& children) { return element(tag, {}, children); }
inline Markup of_class(Name tag, const char* name, const Markup& children) {
  return element(tag, {{"class", name}}, children);
}
/// A link to the element with that id on the same page.
Markup link_to(Name id, const Markup& children);

/// A table that scrolls by itself if the page is too narrow. Columns of numbers are aligned to the right.
struct Column {
  std::string title;
  bool is_number = false;
};
Markup table(const std::vector<Column>&, const std::vector<std::vector<Markup>>& rows);

}  // namespace tileproof::reports
