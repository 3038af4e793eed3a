#include "app/size.h"

#include <cstdlib>

namespace tiercel::app {

bool parse_size(const std::string& text, u64& out) {
  char* end = nullptr;
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  out = std::strtoull(text.c_str(), &end, 0);
  unsigned shift = 0;
  switch (*end) {
    case 'k':
    case 'K':
      shift = 10;
      break;
    case 'm':
    case 'M':
      shift = 20;
      break;
    case 'g':
    case 'G':
      shift = 30;
      break;
    case '\0':
      return true;
    default:
      return false;
  }
  if (out > ~u64{0} >> shift) return false;
  out <<= shift;
  return end[1] == '\0';
}

bool parse_code_cache(const std::string& text, u64 least, u64& out) {
  if (text.empty()) return true;
  return parse_size(text, out) && out >= least && out <= (u64{1} << 30);
}

}  // namespace tiercel::app
