# Arm's bare-metal GCC: the one that CMAKE_C_COMPILER names, else the one on PATH.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)

find_program(CMAKE_C_COMPILER arm-none-eabi-gcc REQUIRED)
cmake_path(GET CMAKE_C_COMPILER PARENT_PATH compiler_folder)
find_program(CMAKE_OBJCOPY arm-none-eabi-objcopy HINTS "${compiler_folder}" REQUIRED)

# CMake's compiler check must not link: there is no start-up code for its program.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)

# The F746 has a single-precision FPU only: fpv5-sp, where other Cortex-M7 parts have fpv5-d16.
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m7 -mthumb -mfpu=fpv5-sp-d16 -mfloat-abi=hard")
