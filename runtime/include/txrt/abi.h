//===- abi.h - What the compiler writes and the runtime reads ---------------------------------------------*- C -*-===//
//
// The one header that both sides of Tx include. An artifact (`step.txa`) is a container of sections; the launch table
// in it is made of the plain structs below, little-endian, and is checked whole before anything of it is used.
//
//   file  = txrt_header, txrt_section[section_count], section bytes ...
//   every section starts at a multiple of TXRT_SECTION_ALIGNMENT
//   digest = SHA-256 of the whole file with the digest field as zeros
//
// Plain C, so that a backend may be written in any language.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_ABI_H
#define TXRT_ABI_H

#include <stdint.h>

#define TXRT_MAGIC "TXART\r\n\x1a" /* 8 bytes; catches text-mode transfers */
#define TXRT_ABI_VERSION 6u
#define TXRT_SECTION_ALIGNMENT 64u
/* Each buffer of an arena starts at a multiple of this (one cache line). */
#define TXRT_BUFFER_ALIGNMENT 64u
/* Scratch of library calls starts at a multiple of this in the arena. */
#define TXRT_SCRATCH_ALIGNMENT 256u

typedef struct {
  char magic[8];
  uint32_t abi_version;
  uint32_t section_count;
  uint64_t file_bytes; /* size of the whole file, so that the reader recognizes a truncated file */
  uint8_t digest[32];
  uint8_t reserved[8];
} txrt_header;

typedef enum {
  TXRT_SECTION_MANIFEST = 1,   /* UTF-8 JSON, see docs/Artifact.md */
  TXRT_SECTION_ENTRIES = 2,    /* txrt_entry[] */
  TXRT_SECTION_LAUNCHES = 3,   /* txrt_launch[] */
  TXRT_SECTION_BUFFERS = 4,    /* txrt_buffer[]: the launches' operands */
  TXRT_SECTION_KERNELS = 5,    /* txrt_kernel[] */
  TXRT_SECTION_STRINGS = 6,    /* NUL-terminated names, referred to by offset */
  TXRT_SECTION_CODE = 7,       /* the target's code unit; see txrt_code_end */
  TXRT_SECTION_ATTENTIONS = 8, /* txrt_attention[]; absent when no launch is an attention */
} txrt_section_kind;

typedef struct {
  uint32_t kind;
  uint32_t reserved;
  uint64_t offset; /* in the file */
  uint64_t bytes;
} txrt_section;

/* The parts of the one arena, one after another in this order. The sizes are in the manifest, each a multiple of
   TXRT_BUFFER_ALIGNMENT: their sum is what the runtime allocates. */
typedef enum {
  TXRT_SEGMENT_PERSISTENT = 0, /* parameters, gradients, optimizer state */
  TXRT_SEGMENT_ARGUMENT = 1,   /* entry arguments, written by the caller */
  TXRT_SEGMENT_SAVED = 2,      /* activations: one slot for each microbatch in flight (later) */
  TXRT_SEGMENT_TRANSIENT = 3,  /* values that the compiler places by their lifetimes */
  TXRT_SEGMENT_COUNT = 4,
} txrt_segment;

typedef enum {
  TXRT_DTYPE_F32 = 0,
  TXRT_DTYPE_BF16 = 1,
  TXRT_DTYPE_I32 = 2,
  TXRT_DTYPE_I1 = 3,   /* one byte, 0 or 1 */
  TXRT_DTYPE_BYTE = 4, /* scratch: its content means nothing after the launch */
} txrt_dtype;

/* `bytes` is the exact extent that the launch may touch from `offset` on (for a view with a row stride: up to the end
   of its last row). */
typedef struct {
  uint32_t segment; /* txrt_segment */
  uint32_t dtype;   /* txrt_dtype */
  uint64_t offset;
  uint64_t bytes;
  uint32_t writes; /* 1: the launch writes this buffer (perhaps also reads it) */
  /* 1: the kernel gets the address of this buffer and never reads the buffer: it is the operand whose place a result
     takes, and that result is a buffer of its own. The launch moves no bytes of it. */
  uint32_t unread;
} txrt_buffer;

typedef enum {
  TXRT_LAUNCH_KERNEL = 0,     /* generated code */
  TXRT_LAUNCH_GEMM = 1,       /* library call */
  TXRT_LAUNCH_COLLECTIVE = 2, /* what several ranks do together */
} txrt_launch_kind;

/* The part of the step that a launch belongs to, for reports, traces and dry runs. */
typedef enum {
  TXRT_PHASE_FORWARD = 0,
  TXRT_PHASE_BACKWARD = 1,
  TXRT_PHASE_RECOMPUTE = 2,
  TXRT_PHASE_OPTIMIZER = 3,
} txrt_phase;

/* The results of an entry are those of its launches run in order. Launches of one lane do run in order; those of
   different lanes may run side by side, once what they wait for is done. */
typedef enum {
  TXRT_LANE_COMPUTE = 0,     /* kernels and products */
  TXRT_LANE_COPIES = 1,      /* room for copies between the device and the host, which no launch is yet */
  TXRT_LANE_COLLECTIVES = 2, /* collectives */
  TXRT_LANE_COUNT = 3,
} txrt_lane;

/* A kernel runs over [0, units); units are independent of each other, so any split over threads gives the same bits.
   One task takes `grain` units. Layers share a kernel; immediates are the numbers in which they differ (the hash of a
   dropout's site). */
#define TXRT_MAX_IMMEDIATES 6
typedef struct {
  uint32_t kernel; /* index into txrt_kernel[] */
  uint32_t immediate_count;
  uint64_t units;
  uint64_t grain;
  uint32_t immediates[TXRT_MAX_IMMEDIATES];
  uint32_t attention; /* 1 + index into txrt_attention[]; 0: the kernel is no attention */
  uint32_t reserved;
} txrt_kernel_launch;

/* Describes a kernel launch that computes an attention, so that a library may compute it instead of the kernel.
   Forward, for each head: O = softmax(scale Q K^T) V, and the log-sum-exp (LSE) of each row of scores. Backward: dQ, dK
   and dV from Q, K, V, O, LSE and dO. If causal, query i sees keys 0 to i. Head h is columns [h w, (h + 1) w) of its
   tensor, where w is `width` for Q and K and their gradients, and `value_width` for V, O and their gradients; heads /
   key_heads consecutive heads share one head of K and V. A tensor has batch x length rows; `row_strides` are in
   elements. LSE is f32 [batch, heads, queries] without gaps; all other tensors of heads are bf16. */
typedef enum {
  TXRT_ATTENTION_Q = 0,
  TXRT_ATTENTION_K = 1,
  TXRT_ATTENTION_V = 2,
  TXRT_ATTENTION_O = 3,
  TXRT_ATTENTION_LSE = 4,
  TXRT_ATTENTION_DO = 5, /* DO, DQ, DK and DV exist only backward */
  TXRT_ATTENTION_DQ = 6,
  TXRT_ATTENTION_DK = 7,
  TXRT_ATTENTION_DV = 8,
  TXRT_ATTENTION_SCRATCH = 9, /* bytes for the library; the last buffer, which the kernel does not take */
  /* Room for packed sequences: i32 [batch, length], the segment of each query and of each key; a query sees keys of its
     own segment. This version's runtime refuses them. */
  TXRT_ATTENTION_QUERY_SEGMENTS = 10,
  TXRT_ATTENTION_KEY_SEGMENTS = 11,
  TXRT_ATTENTION_OPERANDS = 12,
} txrt_attention_operand;

typedef struct {
  uint32_t buffers[TXRT_ATTENTION_OPERANDS]; /* 1 + each operand's index among the launch's buffers; 0: it is absent */
  float scale;
  float soft_cap; /* c: a scaled score x becomes c tanh(x / c) before the mask; 0: none. Refused by this version. */
  uint64_t row_strides[TXRT_ATTENTION_OPERANDS];
  uint64_t batch, queries, keys;
  uint64_t heads, key_heads;
  uint64_t width, value_width;
  uint64_t window; /* query i sees no key before i - window + 1; 0: it sees all of them. Refused by this version. */
  uint8_t backward, causal;
  uint8_t deterministic; /* 1: whoever computes dQ adds its terms in one order, so that it always has the same bits */
  uint8_t reserved[5];
} txrt_attention;

/* What a product (GEMM) reads and writes, by roles. */
typedef enum {
  TXRT_GEMM_A = 0,
  TXRT_GEMM_B = 1,
  TXRT_GEMM_C = 2,
  TXRT_GEMM_RESET = 3,   /* one i1: when it is 1, beta is taken as 0 (the accumulator's old content counts as zero) */
  TXRT_GEMM_BIAS = 4,    /* n elements of C's dtype, which are added to every row of C */
  TXRT_GEMM_SUMS_A = 5,  /* m elements of C's dtype: gets the sums of op(A) over k */
  TXRT_GEMM_SUMS_B = 6,  /* n elements of C's dtype: gets the sums of op(B) over k */
  TXRT_GEMM_SCRATCH = 7, /* bytes for the library, which it may leave as it likes */
  /* Room for products of narrow types and of groups of rows: the factors by which A and B are multiplied and C is
     stored, where the largest |C| goes, and where each group's rows begin. This version's runtime refuses them. */
  TXRT_GEMM_SCALE_A = 8,
  TXRT_GEMM_SCALE_B = 9,
  TXRT_GEMM_SCALE_C = 10,
  TXRT_GEMM_AMAX_C = 11,
  TXRT_GEMM_GROUP_OFFSETS = 12,
  TXRT_GEMM_OPERANDS = 13,
} txrt_gemm_operand;

/* Where the matrices of an operand begin, in elements from the begin of its buffer: that of batch index (i0, i1) at i0
   stride0 + (i1 / repeat) stride1. So `repeat` matrices in a row are the same one, as keys are that several heads
   share. */
typedef struct {
  uint64_t leading; /* elements from one row to the next */
  uint64_t stride0, stride1;
  uint64_t repeat; /* divides batch1; 1 for C, and for at least one of A and B */
} txrt_gemm_matrix;

/* C[i] = alpha * op(A[i]) * op(B[i]) + beta * C[i] for every batch index i = (i0, i1), all row-major; op(A) is m x k,
   op(B) is k x n, C is m x n. Each buffer of the launch has one role. A product has at most one of BIAS, SUMS_A and
   SUMS_B, and no batch if it has one. */
typedef struct {
  uint32_t buffers[TXRT_GEMM_OPERANDS]; /* 1 + each operand's index among the launch's buffers; 0: it is absent */
  uint8_t transpose_a, transpose_b;
  uint8_t reserved[2];
  float alpha, beta;
  uint64_t m, n, k;
  uint64_t batch0, batch1;
  txrt_gemm_matrix a, b, c;
} txrt_gemm_launch;

/* What the ranks of one axis of the mesh do together. A tensor is `outer` blocks, one after another; where a comment
   speaks of a rank's part, each block consists of one part for each rank, in the order of ranks. The host backend sums
   in the order of ranks, in f32; on GPUs NCCL sums, in its own order. */
typedef enum {
  TXRT_ALL_REDUCE = 0,     /* the sum of all operands, for every rank */
  TXRT_ALL_GATHER = 1,     /* a block of the result has each rank's block */
  TXRT_REDUCE_SCATTER = 2, /* this rank's part of the sum of all operands */
  TXRT_ALL_TO_ALL = 3,     /* part i of rank j becomes part j of rank i */
  TXRT_BROADCAST = 4,      /* the operand of rank `peer`, for every rank */
  TXRT_REDUCE = 5,         /* the sum of all operands for rank `peer`, zeros for the other ranks */
  TXRT_SEND_RECV = 6,      /* the operand of the rank `peer` places before this one; zeros if there is no such rank */
} txrt_collective;
#define TXRT_COLLECTIVE_COUNT 7

/* Ranks of the world are numbered with the last mesh axis fastest: neighbours on one axis are `stride` ranks apart, and
   rank r has place r / stride % ranks on it. The launch's buffers, in order: operand and result, of one dtype. The
   operand has `count` elements. The result has as many; ranks times as many after ALL_GATHER; count / ranks after
   REDUCE_SCATTER. Operand and result of ALL_REDUCE and BROADCAST may be the same bytes; those of the other collectives
   have no bytes in common. */
typedef struct {
  uint32_t collective; /* txrt_collective */
  uint32_t axis;       /* string offset: the axis's name */
  uint32_t ranks;
  uint32_t stride;
  uint64_t count;
  uint64_t sent_bytes; /* the least that a rank has to send, for reports */
  uint64_t outer;
  int32_t peer;   /* BROADCAST, REDUCE: a rank's place on the axis; SEND_RECV: a distance in places; else 0 */
  uint32_t wraps; /* SEND_RECV: 1 if the axis is a ring: the last rank counts as the one before the first */
} txrt_collective_launch;

typedef struct {
  uint32_t kind;  /* txrt_launch_kind */
  uint32_t phase; /* txrt_phase */
  int32_t layer;  /* -1: outside the layers */
  uint32_t name;  /* string offset: module path and op, for people */
  uint32_t first_buffer;
  uint32_t buffer_count;
  uint32_t lane; /* txrt_lane */
  /* By lane: 1 + the index of a launch of that lane, before this one in the entry, that must be done when this launch
     begins; 0: none. Then the launches before it in its lane are done, too, and all that they have waited for. A launch
     waits for none of its own lane. */
  uint32_t waits[TXRT_LANE_COUNT];
  uint64_t flops; /* for roofline figures, counted as in the cost interface */
  union {
    txrt_kernel_launch kernel;
    txrt_gemm_launch gemm;
    txrt_collective_launch collective;
  } u;
} txrt_launch;

typedef struct {
  uint32_t name; /* string offset: the entry's name */
  uint32_t first_launch;
  uint32_t launch_count;
  uint32_t reserved;
} txrt_entry;

typedef struct {
  uint32_t name;            /* string offset: the function in the code unit */
  uint32_t buffer_count;    /* how many pointers it takes */
  uint32_t immediate_count; /* how many immediates it reads */
  uint32_t reserved;
} txrt_kernel;

/* A code unit: a target's instructions and what the compiler says about them, under one digest.

     unit = code, txrt_function[], txrt_operand[], txrt_gpu_image[], names,
            txrt_code_end (the last bytes of the section)

   Each part starts where the part before it ends; the code's size is a multiple of TXRT_SECTION_ALIGNMENT. The runtime
   cannot see in the instructions which bytes of its operands a function touches, nor for how many units. So the
   compiler that made the instructions says it here, and the runtime refuses a launch table with a launch that does not
   fit.

   Host code is an ELF object in which the compiler has applied all relocations, at the places that the sections have in
   the file: the runtime copies the file to any address and calls into it. Its headers, symbols and relocations are for
   people's tools; the runtime does not read them. */
#define TXRT_CODE_MAGIC "TXCODE\r\n" /* 8 bytes */

typedef struct {
  uint64_t code_bytes;
  uint32_t function_count;
  uint32_t operand_count;
  uint32_t image_count;
  uint32_t name_bytes; /* of NUL-terminated names, one after another */
  uint8_t digest[32];  /* SHA-256 of the unit with this field as zeros */
  char magic[8];
} txrt_code_end;

/* An operand of a function. A launch fits the function if its txrt_buffer has the same numbers. */
typedef struct {
  uint32_t dtype; /* txrt_dtype */
  uint16_t writes, unread;
  uint64_t bytes;
} txrt_operand;

/* How the runtime launches a kernel on a GPU: ceil(units / units_per_block) blocks of `threads` threads in one
   dimension, with `shared_bytes` of dynamic shared memory. The kernel's parameters, in order: one 64-bit address for
   each buffer, one u32 for each immediate, and the number of units as u64. Units are independent of each other; block b
   takes units [b * units_per_block, (b + 1) * units_per_block). All fields are 0 in host code. */
typedef struct {
  uint64_t units_per_block;
  uint32_t threads;
  uint32_t shared_bytes;
} txrt_gpu_kernel;

/* A kernel runs over [0, units). A function with 0 units is no kernel but a host product (txrt_host_product). */
typedef struct {
  uint32_t name; /* offset in the unit's names */
  uint32_t first_operand;
  uint32_t operand_count;
  uint32_t immediate_count;
  uint64_t units;
  uint64_t entry; /* host: offset in the code at which the function begins; GPU: 0 */
  txrt_gpu_kernel gpu;
} txrt_function;

/* GPU code: every kernel of the artifact, for one architecture. A cubin runs on devices of the same major compute
   capability and the same or a higher minor one; PTX is compiled by the driver for any newer device. */
typedef enum {
  TXRT_GPU_CUBIN = 0,
  TXRT_GPU_PTX = 1, /* NUL-terminated */
} txrt_gpu_image_kind;

typedef struct {
  uint32_t architecture; /* compute capability: 80, 86, 90, 100 ... */
  uint32_t kind;         /* txrt_gpu_image_kind */
  uint64_t offset;       /* in the code */
  uint64_t bytes;
} txrt_gpu_image;

/* The names of these numbers in manifests, dry runs and messages; NULL for an unknown number. The runtime has no other
   list of them; the compiler's enumerations have the same numbers and names (lib/Target/AbiEnums.h and its test). */
#ifdef __cplusplus
#define TXRT_NAMES constexpr inline const char *
#else
#define TXRT_NAMES static inline const char *
#endif

TXRT_NAMES txrt_segment_name(uint32_t segment) {
  switch (segment) {
  case TXRT_SEGMENT_PERSISTENT:
    return "persistent";
  case TXRT_SEGMENT_ARGUMENT:
    return "argument";
  case TXRT_SEGMENT_SAVED:
    return "saved";
  case TXRT_SEGMENT_TRANSIENT:
    return "transient";
  default:
    return 0;
  }
}
TXRT_NAMES txrt_dtype_name(uint32_t dtype) {
  switch (dtype) {
  case TXRT_DTYPE_F32:
    return "f32";
  case TXRT_DTYPE_BF16:
    return "bf16";
  case TXRT_DTYPE_I32:
    return "i32";
  case TXRT_DTYPE_I1:
    return "i1";
  case TXRT_DTYPE_BYTE:
    return "byte";
  default:
    return 0;
  }
}
TXRT_NAMES txrt_launch_kind_name(uint32_t kind) {
  switch (kind) {
  case TXRT_LAUNCH_KERNEL:
    return "kernel";
  case TXRT_LAUNCH_GEMM:
    return "gemm";
  case TXRT_LAUNCH_COLLECTIVE:
    return "collective";
  default:
    return 0;
  }
}
TXRT_NAMES txrt_lane_name(uint32_t lane) {
  switch (lane) {
  case TXRT_LANE_COMPUTE:
    return "compute";
  case TXRT_LANE_COPIES:
    return "copies";
  case TXRT_LANE_COLLECTIVES:
    return "collectives";
  default:
    return 0;
  }
}
TXRT_NAMES txrt_gemm_operand_name(uint32_t operand) {
  switch (operand) {
  case TXRT_GEMM_A:
    return "a";
  case TXRT_GEMM_B:
    return "b";
  case TXRT_GEMM_C:
    return "c";
  case TXRT_GEMM_RESET:
    return "reset";
  case TXRT_GEMM_BIAS:
    return "bias";
  case TXRT_GEMM_SUMS_A:
    return "sums_a";
  case TXRT_GEMM_SUMS_B:
    return "sums_b";
  case TXRT_GEMM_SCRATCH:
    return "scratch";
  case TXRT_GEMM_SCALE_A:
    return "scale_a";
  case TXRT_GEMM_SCALE_B:
    return "scale_b";
  case TXRT_GEMM_SCALE_C:
    return "scale_c";
  case TXRT_GEMM_AMAX_C:
    return "amax_c";
  case TXRT_GEMM_GROUP_OFFSETS:
    return "group_offsets";
  default:
    return 0;
  }
}
TXRT_NAMES txrt_collective_name(uint32_t collective) {
  switch (collective) {
  case TXRT_ALL_REDUCE:
    return "all_reduce";
  case TXRT_ALL_GATHER:
    return "all_gather";
  case TXRT_REDUCE_SCATTER:
    return "reduce_scatter";
  case TXRT_ALL_TO_ALL:
    return "all_to_all";
  case TXRT_BROADCAST:
    return "broadcast";
  case TXRT_REDUCE:
    return "reduce";
  case TXRT_SEND_RECV:
    return "send_recv";
  default:
    return 0;
  }
}

TXRT_NAMES txrt_phase_name(uint32_t phase) {
  switch (phase) {
  case TXRT_PHASE_FORWARD:
    return "forward";
  case TXRT_PHASE_BACKWARD:
    return "backward";
  case TXRT_PHASE_RECOMPUTE:
    return "recompute";
  case TXRT_PHASE_OPTIMIZER:
    return "optimizer";
  default:
    return 0;
  }
}

/* Enumerations that the manifest writes as names: the role of a global, the initial values of a parameter, and what the
   ranks of a mesh axis divide among them. */
typedef enum {
  TXRT_ROLE_PARAMETER = 0,
  TXRT_ROLE_GRADIENT = 1,
  TXRT_ROLE_MOMENT1 = 2,
  TXRT_ROLE_MOMENT2 = 3,
  TXRT_ROLE_MASTER = 4,
  TXRT_ROLE_COUNT = 5,
} txrt_role;
TXRT_NAMES txrt_role_name(uint32_t role) {
  switch (role) {
  case TXRT_ROLE_PARAMETER:
    return "parameter";
  case TXRT_ROLE_GRADIENT:
    return "gradient";
  case TXRT_ROLE_MOMENT1:
    return "moment1";
  case TXRT_ROLE_MOMENT2:
    return "moment2";
  case TXRT_ROLE_MASTER:
    return "master";
  default:
    return 0;
  }
}
typedef enum {
  TXRT_INIT_ZEROS = 0,
  TXRT_INIT_ONES = 1,
  TXRT_INIT_NORMAL = 2,
  TXRT_INIT_COUNT = 3,
} txrt_init;
TXRT_NAMES txrt_init_name(uint32_t init) {
  switch (init) {
  case TXRT_INIT_ZEROS:
    return "zeros";
  case TXRT_INIT_ONES:
    return "ones";
  case TXRT_INIT_NORMAL:
    return "normal";
  default:
    return 0;
  }
}
typedef enum {
  TXRT_AXIS_BATCH = 0,
  TXRT_AXIS_SEQUENCE = 1,
  TXRT_AXIS_TENSOR = 2,
  TXRT_AXIS_EXPERT = 3,
  TXRT_AXIS_STAGE = 4,
  TXRT_AXIS_COUNT = 5,
} txrt_axis_kind;
TXRT_NAMES txrt_axis_kind_name(uint32_t kind) {
  switch (kind) {
  case TXRT_AXIS_BATCH:
    return "batch";
  case TXRT_AXIS_SEQUENCE:
    return "sequence";
  case TXRT_AXIS_TENSOR:
    return "tensor";
  case TXRT_AXIS_EXPERT:
    return "expert";
  case TXRT_AXIS_STAGE:
    return "stage";
  default:
    return 0;
  }
}

/* The type of every host kernel: `buffers` are the launch's operands, [begin, end) the units of this task. A kernel has
   no side effect but writing its operands. */
typedef void (*txrt_host_kernel)(void *const *buffers, const uint32_t *immediates, int64_t begin, int64_t end);

/* A host artifact with bf16 products (A and B bf16, C bf16 or f32) has in its code one function for each form of
   product that it uses, named "gemm_bf16_", 'n' or 't' for A, the same for B, then "_bf16" or "_f32" for C:
   "gemm_bf16_nt_f32". The function computes one tile of C, of at most TXRT_HOST_PRODUCT_M x TXRT_HOST_PRODUCT_N
   elements, over the whole of k, and does not read C if beta is 0. Sums are f32. */
#define TXRT_HOST_PRODUCT_M 256
#define TXRT_HOST_PRODUCT_N 192
typedef void (*txrt_host_product)(const void *a, const void *b, void *c, int64_t m, int64_t n, int64_t k, int64_t lda,
                                  int64_t ldb, int64_t ldc, float alpha, float beta);

#endif /* TXRT_ABI_H */
