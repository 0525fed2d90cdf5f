# Libraries from the distribution. pkg-config where Debian's CMake configuration files are missing or broken.
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(URING REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(CK REQUIRED IMPORTED_TARGET ck)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)

# http-parser ships neither a .pc nor a CMake file.
find_path(HTTP_PARSER_INCLUDE http_parser.h REQUIRED)
find_library(HTTP_PARSER_LIB http_parser REQUIRED)
add_library(http_parser INTERFACE)
target_include_directories(http_parser SYSTEM INTERFACE ${HTTP_PARSER_INCLUDE})
target_link_libraries(http_parser INTERFACE ${HTTP_PARSER_LIB})

if(TICKCAST_TESTS)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
  set(Python3_EXECUTABLE /usr/bin/python3) # the distribution's own: it sees the apt modules
endif()
if(TICKCAST_BENCH)
  find_package(benchmark REQUIRED)
endif()
