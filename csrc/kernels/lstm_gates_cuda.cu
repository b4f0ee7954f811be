#include "cuda_launch.cuh"
#include "lstm_gates.h"

namespace jc3d {
namespace {

constexpr int kWarp = 32;
// Threads that sum the bias gradient of channels-last tensors: enough to keep the memory busy, few enough that their
// sums are small beside the tensors.
constexpr int64_t kPixelThreads = 1 << 16;

// Most divisions are of small numbers, which GPUs divide several times faster.
__device__ inline int64_t divide(int64_t a, int64_t b) {
  if (((a | b) >> 32) == 0) return static_cast<uint32_t>(a) / static_cast<uint32_t>(b);
  return a / b;
}

// `width` elements in the numbers that are computed with; absent tensors are zero.
template <int width, typename T>
__device__ inline void load_numbers(compute_t<T> (&numbers)[width], const T* source, int64_t offset) {
  T values[width];
  if (source != nullptr) load(values, source + offset);
#pragma unroll
  for (int e = 0; e < width; ++e) numbers[e] = source == nullptr ? compute_t<T>(0) : to_compute(values[e]);
}

template <int width, typename T>
__device__ inline void store_numbers(T* destination, int64_t offset, const compute_t<T> (&numbers)[width]) {
  T values[width];
#pragma unroll
  for (int e = 0; e < width; ++e) values[e] = from_compute<T>(numbers[e]);
  store(destination + offset, values);
}

// Where `width` neighbouring states are.
struct Place {
  int64_t first;     // state, counted over all
  int64_t row;       // sample or pixel
  int64_t position;  // in its row

  __device__ Place(int64_t first_state, GateLayout layout)
      : first(first_state), row(divide(first_state, layout.row_size())), position(first - row * layout.row_size()) {}

  template <bool output_gate>
  __device__ int64_t gate_offset(int gate, GateLayout layout) const {
    return (row * kGates<output_gate> + gate) * layout.row_size() + position;
  }
};

template <typename T, bool output_gate, int width>
__global__ void __launch_bounds__(kBlockSize) forward_kernel(GatesForward<T> data, GateLayout layout) {
  using Number = compute_t<T>;
  const int64_t items = layout.num_states() / width;
  for (int64_t item = first_item(); item < items; item += item_stride()) {
    const Place place(item * width, layout);
    Number gates[4][width];
#pragma unroll
    for (int gate = 0; gate < kGates<output_gate>; ++gate) {
      const int64_t offset = place.gate_offset<output_gate>(gate, layout);
      Number h[width];
      load_numbers<width>(gates[gate], data.x_gates, offset);
      load_numbers<width>(h, data.h_gates, offset);
#pragma unroll
      for (int e = 0; e < width; ++e) gates[gate][e] += h[e];
    }
    if (data.bias != nullptr) {
#pragma unroll
      for (int e = 0; e < width; ++e) {
        const T* bias = data.bias + divide(place.position + e, layout.inner);
#pragma unroll
        for (int gate = 0; gate < kGates<output_gate>; ++gate) {
          gates[gate][e] += to_compute(bias[gate * layout.channels]);
        }
      }
    }
    Number c[width];
    Number h[width];
    load_numbers<width>(c, data.c_prev, place.first);
#pragma unroll
    for (int e = 0; e < width; ++e) {
      UnitGates<Number> unit{gates[0][e], gates[1][e], gates[2][e], output_gate ? gates[3][e] : Number(0)};
      activate<output_gate>(unit);
      c[e] = data.c_prev == nullptr ? next_c<false>(unit, c[e]) : next_c<true>(unit, c[e]);
      h[e] = next_h<output_gate>(unit, c[e]);
      gates[0][e] = unit.i;
      gates[1][e] = unit.f;
      gates[2][e] = unit.g;
      if constexpr (output_gate) gates[3][e] = unit.o;
    }
    store_numbers<width>(data.c, place.first, c);
    store_numbers<width>(data.h, place.first, h);
    if (data.gates != nullptr) {
#pragma unroll
      for (int gate = 0; gate < kGates<output_gate>; ++gate) {
        store_numbers<width>(data.gates, place.gate_offset<output_gate>(gate, layout), gates[gate]);
      }
    }
  }
}

// One place's gradients: written, and left in `grad` for the bias.
template <typename T, bool output_gate, int width>
__device__ inline void backward_at(const GatesBackward<T>& data, GateLayout layout, const Place& place,
                                   compute_t<T> (&grad)[4][width]) {
  using Number = compute_t<T>;
  Number c_prev[width];
  Number c[width];
  Number grad_h[width];
  Number grad_c[width];
#pragma unroll
  for (int gate = 0; gate < kGates<output_gate>; ++gate) {
    load_numbers<width>(grad[gate], data.gates, place.gate_offset<output_gate>(gate, layout));
  }
  load_numbers<width>(c_prev, data.c_prev, place.first);
  load_numbers<width>(c, data.c, place.first);
  load_numbers<width>(grad_h, data.grad_h, place.first);
  load_numbers<width>(grad_c, data.grad_c, place.first);
#pragma unroll
  for (int e = 0; e < width; ++e) {
    const UnitGates<Number> unit{grad[0][e], grad[1][e], grad[2][e], output_gate ? grad[3][e] : Number(0)};
    const auto result = data.c_prev == nullptr
                            ? unit_backward<output_gate, false>(unit, c_prev[e], c[e], grad_h[e], grad_c[e])
                            : unit_backward<output_gate, true>(unit, c_prev[e], c[e], grad_h[e], grad_c[e]);
    grad[0][e] = result.gates.i;
    grad[1][e] = result.gates.f;
    grad[2][e] = result.gates.g;
    if constexpr (output_gate) grad[3][e] = result.gates.o;
    c_prev[e] = result.c_prev;
  }
#pragma unroll
  for (int gate = 0; gate < kGates<output_gate>; ++gate) {
    store_numbers<width>(data.grad_gates, place.gate_offset<output_gate>(gate, layout), grad[gate]);
  }
  if (data.c_prev != nullptr) store_numbers<width>(data.grad_c_prev, place.first, c_prev);
}

// Without a bias, or with one and channels outermost: then `lanes` neighbouring threads share a channel, and one of
// them writes their sum, bias_partials [gates, items / lanes].
template <typename T, bool output_gate, int width>
__global__ void __launch_bounds__(kBlockSize) backward_kernel(GatesBackward<T> data, GateLayout layout, int lanes) {
  const int64_t items = layout.num_states() / width;
  // Whole warps stay in the loop together: they exchange values.
  const int64_t whole_warps = (items + kWarp - 1) / kWarp * kWarp;
  for (int64_t item = first_item(); item < whole_warps; item += item_stride()) {
    compute_t<T> grad[4][width] = {};
    if (item < items) backward_at<T, output_gate, width>(data, layout, Place(item * width, layout), grad);
    if (data.bias_partials == nullptr) continue;
#pragma unroll
    for (int gate = 0; gate < kGates<output_gate>; ++gate) {
      compute_t<T> sum = grad[gate][0];
#pragma unroll
      for (int e = 1; e < width; ++e) sum += grad[gate][e];
      for (int distance = lanes / 2; distance > 0; distance /= 2) sum += __shfl_xor_sync(0xFFFFFFFF, sum, distance);
      if (item < items && item % lanes == 0) data.bias_partials[gate * (items / lanes) + item / lanes] = sum;
    }
  }
}

// With a bias and channels innermost: every thread keeps to its channels and goes through the pixels, bias_partials
// [threads / groups, gates, C] with C = groups * width.
template <typename T, bool output_gate, int width>
__global__ void __launch_bounds__(kBlockSize)
    backward_pixels_kernel(GatesBackward<T> data, GateLayout layout, int64_t pixel_stride) {
  const int64_t groups = layout.channels / width;
  const int64_t group = first_item() % groups;
  const int64_t first_pixel = first_item() / groups;
  if (first_pixel >= pixel_stride) return;
  compute_t<T> sums[4][width] = {};
  for (int64_t pixel = first_pixel; pixel < layout.rows; pixel += pixel_stride) {
    compute_t<T> grad[4][width] = {};
    backward_at<T, output_gate, width>(data, layout, Place((pixel * groups + group) * width, layout), grad);
#pragma unroll
    for (int gate = 0; gate < kGates<output_gate>; ++gate) {
#pragma unroll
      for (int e = 0; e < width; ++e) sums[gate][e] += grad[gate][e];
    }
  }
#pragma unroll
  for (int gate = 0; gate < kGates<output_gate>; ++gate) {
    compute_t<T>* row = data.bias_partials + (first_pixel * kGates<output_gate> + gate) * layout.channels;
#pragma unroll
    for (int e = 0; e < width; ++e) row[group * width + e] = sums[gate][e];
  }
}

// The partial sums of channel c of gate k: partials[k * gate_stride + c * channel_stride + a * outer_stride + b], a
// below `outer`, b below `inner`.
struct Partials {
  int64_t gate_stride;
  int64_t channel_stride;
  int64_t outer;
  int64_t outer_stride;
  int64_t inner;
};

// One block a channel of a gate; sums in an order that depends on the sizes alone.
template <typename T>
__global__ void __launch_bounds__(kBlockSize)
    sum_partials_kernel(const compute_t<T>* partials, T* sums, Partials place, int64_t channels) {
  __shared__ compute_t<T> shared[kBlockSize];
  const int64_t gate = blockIdx.x / channels;
  const int64_t channel = blockIdx.x % channels;
  const compute_t<T>* first = partials + gate * place.gate_stride + channel * place.channel_stride;
  compute_t<T> sum = 0;
  for (int64_t i = threadIdx.x; i < place.outer * place.inner; i += kBlockSize) {
    const int64_t a = divide(i, place.inner);
    sum += first[a * place.outer_stride + (i - a * place.inner)];
  }
  shared[threadIdx.x] = sum;
  __syncthreads();
  for (int half = kBlockSize / 2; half > 0; half /= 2) {
    if (static_cast<int>(threadIdx.x) < half) shared[threadIdx.x] += shared[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) sums[blockIdx.x] = from_compute<T>(shared[0]);
}

// Absent tensors do not hinder 16-byte accesses.
template <typename... Pointers>
bool all_aligned_16(const Pointers*... pointers) {
  return (is_aligned_16(pointers) && ...);
}

// Neighbouring threads, a power of two, that share a channel wherever they start.
int64_t lanes_per_channel(int64_t items_per_channel) {
  int64_t lanes = 1;
  while (lanes < kWarp && items_per_channel % (2 * lanes) == 0) lanes *= 2;
  return lanes;
}

// Threads that share a channel group in backward_pixels_kernel.
int64_t pixel_stride(GateLayout layout, int width) {
  return std::min(layout.rows, std::max<int64_t>(1, kPixelThreads * width / layout.channels));
}

template <typename T, bool output_gate, int width>
const char* launch_backward(const GatesBackward<T>& data, T* grad_bias, GateLayout layout, cudaStream_t stream) {
  constexpr int gates = kGates<output_gate>;
  const int64_t items = layout.num_states() / width;
  Partials place{};
  if (grad_bias != nullptr && layout.inner == 1) {
    const int64_t stride = pixel_stride(layout, width);
    const int64_t blocks = (stride * (layout.channels / width) + kBlockSize - 1) / kBlockSize;
    backward_pixels_kernel<T, output_gate, width>
        <<<static_cast<unsigned>(blocks), kBlockSize, 0, stream>>>(data, layout, stride);
    place = {layout.channels, 1, stride, gates * layout.channels, 1};
  } else {
    const int64_t items_per_channel = layout.inner / width;
    const int64_t lanes = grad_bias == nullptr ? 1 : lanes_per_channel(items_per_channel);
    backward_kernel<T, output_gate, width>
        <<<grid_size(items), kBlockSize, 0, stream>>>(data, layout, static_cast<int>(lanes));
    const int64_t sums_per_channel = items_per_channel / lanes;
    place = {items / lanes, sums_per_channel, layout.rows, layout.channels * sums_per_channel, sums_per_channel};
  }
  const char* error = launch_error();
  if (error != nullptr || grad_bias == nullptr) return error;
  sum_partials_kernel<T><<<static_cast<unsigned>(gates * layout.channels), kBlockSize, 0, stream>>>(
      data.bias_partials, grad_bias, place, layout.channels);
  return launch_error();
}

}  // namespace

template <typename T, bool output_gate>
const char* lstm_gates_cuda(const GatesForward<T>& data, GateLayout layout, void* stream) {
  if (layout.num_states() == 0) return nullptr;
  constexpr int width = 16 / sizeof(T);
  const bool vectors = layout.row_size() % width == 0 &&
                       all_aligned_16(data.x_gates, data.h_gates, data.c_prev, data.h, data.c, data.gates);
  const auto kernel = vectors ? forward_kernel<T, output_gate, width> : forward_kernel<T, output_gate, 1>;
  const int grid = grid_size(layout.num_states() / (vectors ? width : 1));
  kernel<<<grid, kBlockSize, 0, static_cast<cudaStream_t>(stream)>>>(data, layout);
  return launch_error();
}

template <typename T, bool output_gate>
int64_t bias_partials_size_cuda(GateLayout layout) {
  constexpr int gates = kGates<output_gate>;
  if (layout.num_states() == 0) return 0;
  // Of both widths the larger one.
  if (layout.inner == 1) return gates * layout.channels * pixel_stride(layout, 16 / sizeof(T));
  return gates * (layout.num_states() / lanes_per_channel(layout.inner));
}

template <typename T, bool output_gate>
const char* lstm_gates_backward_cuda(const GatesBackward<T>& data, T* grad_bias, GateLayout layout, void* stream) {
  if (layout.num_states() == 0) return nullptr;
  constexpr int width = 16 / sizeof(T);
  // What a vector must not straddle: a gate's end, and with a bias a channel's end.
  const int64_t unit = grad_bias == nullptr || layout.inner == 1 ? layout.row_size() : layout.inner;
  const bool vectors = unit % width == 0 && all_aligned_16(data.grad_h, data.grad_c, data.gates, data.c_prev, data.c,
                                                           data.grad_gates, data.grad_c_prev);
  const auto launch = vectors ? launch_backward<T, output_gate, width> : launch_backward<T, output_gate, 1>;
  return launch(data, grad_bias, layout, static_cast<cudaStream_t>(stream));
}

#define INSTANTIATE_GATES(T, output_gate)                                                          \
  template const char* lstm_gates_cuda<T, output_gate>(const GatesForward<T>&, GateLayout, void*); \
  template int64_t bias_partials_size_cuda<T, output_gate>(GateLayout);                            \
  template const char* lstm_gates_backward_cuda<T, output_gate>(const GatesBackward<T>&, T*, GateLayout, void*)
#define INSTANTIATE(T)        \
  INSTANTIATE_GATES(T, true); \
  INSTANTIATE_GATES(T, false)
JC3D_FOR_EACH_FLOAT(INSTANTIATE);
#undef INSTANTIATE
#undef INSTANTIATE_GATES

}  // namespace jc3d
