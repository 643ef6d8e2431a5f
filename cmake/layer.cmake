# layer(NAME [PRIVATE libs...] [PUBLIC libs...]) makes the library pgsluice_NAME of src/NAME/*.cpp and the unit-test
# binary test_NAME of tests/unit/NAME/*_test.cpp. The binary links that layer and its declared dependencies only, so a
# call into an undeclared layer does not link.
include(${CMAKE_CURRENT_LIST_DIR}/layers.cmake)

function(layer name)
  cmake_parse_arguments(arg "" "" "PRIVATE;PUBLIC" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  list(TRANSFORM PGSLUICE_DEPENDS_${name} PREPEND pgsluice_ OUTPUT_VARIABLE depends)

  if(sources)
    add_library(pgsluice_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(pgsluice_${name} PRIVATE pgsluice_warnings ${arg_PRIVATE})
    target_include_directories(pgsluice_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src/${name})
    profile_layer(${name} "${sources}")
  else()
    add_library(pgsluice_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(pgsluice_${name} ${scope} ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(pgsluice_${name} ${scope} ${depends} ${arg_PUBLIC})

  file(GLOB tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/unit/${name}/*_test.cpp)
  if(PGSLUICE_TESTS AND tests)
    add_executable(test_${name} ${tests})
    target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests ${PROJECT_SOURCE_DIR}/src/${name})
    target_compile_definitions(test_${name} PRIVATE PGSLUICE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_link_libraries(test_${name} PRIVATE pgsluice_${name} pgsluice_warnings GTest::gmock GTest::gtest_main)
    # A test that hangs says so in minutes, also under a sanitizer.
    gtest_discover_tests(test_${name} TEST_PREFIX "${name}." PROPERTIES LABELS unit TIMEOUT 300 DISCOVERY_TIMEOUT 60)
  endif()
endfunction()
