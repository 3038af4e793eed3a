// tiercel-compiler: the translation service. tiercel starts it when the first loop is hot.
#include <cstdio>
#include <cstring>

#include "backend/llvm/region_compiler.h"
#include "service/place.h"
#include "service/server.h"

int main(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], "--serve") != 0) {
    std::fputs(
        "usage: tiercel-compiler --serve DIRECTORY\n\n"
        "Compiles hot code for the tiercel processes of one user. tiercel starts it by itself; it ends when nobody "
        "has\n"
        "asked for a minute. To watch it: run it on a directory, and tiercel with TIERCEL_SERVICE_DIR set to that.\n",
        argc == 2 && std::strcmp(argv[1], "--help") == 0 ? stdout : stderr);
    return argc == 2 && std::strcmp(argv[1], "--help") == 0 ? 0 : 2;
  }
  tiercel::service::ServerOptions options;
  options.directory = argv[2];
  options.compiler = tiercel::service::compiler_path();
  options.make_compiler = tiercel::backend::make_llvm_compiler;
  return tiercel::service::serve(options);
}
