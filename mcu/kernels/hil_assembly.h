/* What kernels share that are written in assembly around constants of the layer. */
#ifndef HIL_ASSEMBLY_H
#define HIL_ASSEMBLY_H

#define HIL_INLINE static inline __attribute__((always_inline))

/*
 * GCC takes the length of assembly, for the reach of branches over it, from its separators, and
 * sees those inside .rept once. So many more stand for 4 and 36 times 16 instructions.
 */
#define HIL_LENGTH_OF_4                                                                            \
    ";;;;;;;;;;;;;;;;"                                                                             \
    ";;;;;;;;;;;;;;;;"                                                                             \
    ";;;;;;;;;;;;;;;;"                                                                             \
    ";;;;;;;;;;;;;;;;"
#define HIL_LENGTH_OF_36                                                                           \
    HIL_LENGTH_OF_4 HIL_LENGTH_OF_4 HIL_LENGTH_OF_4 HIL_LENGTH_OF_4 HIL_LENGTH_OF_4                \
        HIL_LENGTH_OF_4 HIL_LENGTH_OF_4 HIL_LENGTH_OF_4 HIL_LENGTH_OF_4

/* Brings `sum` into the clamp, where that is narrower than int8. */
#define HIL_CLAMP(sum)                                                                             \
    ".if %c[low] > -128\n\t"                                                                       \
    "cmp %[" sum "], #%c[low]\n\t"                                                                 \
    "it lt\n\t"                                                                                    \
    "movlt %[" sum "], #%c[low]\n\t"                                                               \
    ".endif\n\t"                                                                                   \
    ".if %c[high] < 127\n\t"                                                                       \
    "cmp %[" sum "], #%c[high]\n\t"                                                                \
    "it gt\n\t"                                                                                    \
    "movgt %[" sum "], #%c[high]\n\t"                                                              \
    ".endif\n\t"

#endif
