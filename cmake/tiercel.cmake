# Warnings, sanitizers and the one-library-per-folder rule.
add_library(tiercel-options INTERFACE)
target_include_directories(tiercel-options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(tiercel-options INTERFACE -Wall -Wextra -Werror=switch -fno-strict-aliasing)
if(TIERCEL_SANITIZE)
  target_compile_options(tiercel-options INTERFACE -fsanitize=${TIERCEL_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=undefined)
  target_link_options(tiercel-options INTERFACE -fsanitize=${TIERCEL_SANITIZE})
  if(TIERCEL_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # "atomic_thread_fence is not supported": ours order accesses that are atomics themselves, or generated code's, which
    # no sanitizer sees.
    target_compile_options(tiercel-options INTERFACE -Wno-tsan)
  endif()
endif()
if(TIERCEL_VERIFY)
  target_compile_definitions(tiercel-options INTERFACE TIERCEL_VERIFY=1)
endif()
if(TIERCEL_FUZZ)
  target_compile_options(tiercel-options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# tiercel_library(folder LINKS a b EXTERNAL x PRIVATE_EXTERNAL y WITHOUT sub): every .cpp and .S below `folder` becomes
# static library tiercel-<folder>. LINKS names our own folders; EXTERNAL libraries are passed on to users, PRIVATE_EXTERNAL
# ones are not. WITHOUT names a folder inside that is a library of its own.
# A folder that holds only headers so far is an interface library.
function(tiercel_library folder)
  cmake_parse_arguments(ARG "" "WITHOUT" "LINKS;EXTERNAL;PRIVATE_EXTERNAL" ${ARGN})
  list(TRANSFORM ARG_LINKS PREPEND tiercel-)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cpp ${folder}/*.S)
  if(ARG_WITHOUT)
    list(FILTER sources EXCLUDE REGEX "/${folder}/${ARG_WITHOUT}/")
  endif()
  if(sources)
    add_library(tiercel-${folder} STATIC ${sources})
    target_link_libraries(tiercel-${folder} PUBLIC tiercel-options ${ARG_LINKS} ${ARG_EXTERNAL}
                          PRIVATE ${ARG_PRIVATE_EXTERNAL})
  else()
    add_library(tiercel-${folder} INTERFACE)
    target_link_libraries(tiercel-${folder} INTERFACE tiercel-options ${ARG_LINKS} ${ARG_EXTERNAL})
  endif()
endfunction()

# tiercel_test(name LABEL unit SOURCES a.cpp LINKS engine [ARGS x]): a GoogleTest program and its ctest entry.
function(tiercel_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;LINKS;ARGS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  foreach(link ${ARG_LINKS})
    target_link_libraries(${name} PRIVATE tiercel-${link})
  endforeach()
  target_link_libraries(${name} PRIVATE tiercel-options GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS})
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL})
endfunction()
