// tiercel-compiler: the translation service. tiercel starts it when the first loop is hot.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "app/size.h"
#include "backend/llvm/region_compiler.h"
#include "replay.h"
#include "service/place.h"
#include "service/server.h"

int main(int argc, char** argv) {
  using namespace tiercel;
  CLI::App app{
      "Compiles hot code for the tiercel processes of one user. tiercel starts it by itself; it ends when nobody has "
      "asked\n"
      "for a minute. To watch it: run it on a directory, and tiercel with TIERCEL_SERVICE_DIR set to that:\n"
      "  tiercel-compiler --serve DIR --keep requests &  TIERCEL_SERVICE_DIR=DIR tiercel run --tier=llvm PROGRAM\n"
      "  tiercel-compiler --replay requests/*.request",
      "tiercel-compiler"};
  service::ServerOptions options;
  app::ReplayOptions replay;
  std::string cache;
  auto* serve =
      app.add_option("--serve", options.directory, "serve at a socket in this directory")->type_name("DIRECTORY");
  app.add_option("--keep", options.keep, "leave each request in this directory, as a file")
      ->type_name("DIRECTORY")
      ->check(CLI::ExistingDirectory)
      ->needs(serve);
  app.add_option("--cache", cache, "what it may keep of what it has compiled; default 512M")
      ->type_name("SIZE")
      ->needs(serve);
  app.add_option("--idle", options.idle_seconds, "end when nobody has asked for so long; default 60")
      ->type_name("SECONDS")
      ->needs(serve);
  auto* files = app.add_option("--replay", replay.files, "compile kept requests and print what became of them")
                    ->type_name("FILE...")
                    ->check(CLI::ExistingFile)
                    ->excludes(serve);
  app.add_option("--times", replay.times, "with --replay: the fastest of so many")
      ->needs(files)
      ->check(CLI::PositiveNumber);
  app.add_flag("--listing", replay.listing, "with --replay: print LLVM IR and host code")->needs(files);
  app.require_option(1, 0);
  CLI11_PARSE(app, argc, argv);
  if (!cache.empty() && !app::parse_size(cache, options.cache_bytes)) {
    std::fprintf(stderr, "tiercel-compiler: --cache %s: not a size; for example 128M or 2G\n", cache.c_str());
    return 2;
  }
  if (!replay.files.empty()) return app::replay(replay);
  options.compiler = service::compiler_path();
  options.make_compiler = backend::make_llvm_compiler;
  return service::serve(options);
}
