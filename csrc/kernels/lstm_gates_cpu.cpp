#include <algorithm>
#include <vector>

#include "cpu.h"
#include "lstm_gates.h"

namespace jc3d {
namespace {

// States handled at once: everything a segment needs besides the tensors stays in the first-level cache.
constexpr int64_t kSegment = 512;
// Pixels in a piece of channels-last tensors.
constexpr int64_t kPiecePixels = 128;

// Stands in for what is not given.
template <typename T>
alignas(64) constexpr T kZeros[kSegment] = {};

// The pointers of a segment: n states that follow each other in memory, gate after gate.
template <typename T>
struct ForwardSegment {
  const T* x[4];
  const T* h[4];
  const T* bias[4];
  T* gates[4];
  const T* c_prev;
  T* h_out;
  T* c_out;
};

template <typename T>
struct BackwardSegment {
  const T* gates[4];
  T* grad_gates[4];
  const T* grad_h;
  const T* grad_c;
  const T* c_prev;
  const T* c;
  T* grad_c_prev;
};

template <typename T>
JC3D_ALWAYS_INLINE compute_t<T> preactivation(const ForwardSegment<T>& s, int gate, int64_t j) {
  return to_compute(s.x[gate][j]) + to_compute(s.h[gate][j]) + to_compute(s.bias[gate][j]);
}

// c_prev and c_out may be one array, element by element: no iteration reads what another writes.
template <typename T, bool output_gate, bool has_state, bool save_gates>
JC3D_ALWAYS_INLINE void forward_loop(const ForwardSegment<T> s, int64_t n) {
#pragma GCC ivdep
  for (int64_t j = 0; j < n; ++j) {
    UnitGates<compute_t<T>> unit{};
    unit.i = preactivation(s, 0, j);
    unit.f = preactivation(s, 1, j);
    unit.g = preactivation(s, 2, j);
    if constexpr (output_gate) unit.o = preactivation(s, 3, j);
    if constexpr (!save_gates) {
      compute_t<T> c;
      compute_t<T> h;
      next_states<output_gate, has_state>(unit, to_compute(s.c_prev[j]), c, h);
      s.c_out[j] = from_compute<T>(c);
      s.h_out[j] = from_compute<T>(h);
      continue;
    }
    activate<output_gate>(unit);
    const auto c = next_c<has_state>(unit, to_compute(s.c_prev[j]));
    s.c_out[j] = from_compute<T>(c);
    s.h_out[j] = from_compute<T>(next_h<output_gate>(unit, c));
    s.gates[0][j] = from_compute<T>(unit.i);
    s.gates[1][j] = from_compute<T>(unit.f);
    s.gates[2][j] = from_compute<T>(unit.g);
    if constexpr (output_gate) s.gates[3][j] = from_compute<T>(unit.o);
  }
}

template <typename T, bool output_gate, bool has_state>
JC3D_ALWAYS_INLINE void backward_loop(const BackwardSegment<T> s, int64_t n) {
#pragma GCC ivdep
  for (int64_t j = 0; j < n; ++j) {
    UnitGates<compute_t<T>> unit{};
    unit.i = to_compute(s.gates[0][j]);
    unit.f = to_compute(s.gates[1][j]);
    unit.g = to_compute(s.gates[2][j]);
    if constexpr (output_gate) unit.o = to_compute(s.gates[3][j]);
    const auto grad = unit_backward<output_gate, has_state>(unit, to_compute(s.c_prev[j]), to_compute(s.c[j]),
                                                            to_compute(s.grad_h[j]), to_compute(s.grad_c[j]));
    s.grad_gates[0][j] = from_compute<T>(grad.gates.i);
    s.grad_gates[1][j] = from_compute<T>(grad.gates.f);
    s.grad_gates[2][j] = from_compute<T>(grad.gates.g);
    if constexpr (output_gate) s.grad_gates[3][j] = from_compute<T>(grad.gates.o);
    if constexpr (has_state) s.grad_c_prev[j] = from_compute<T>(grad.c_prev);
  }
}

// The sum of n values, in an order that depends on n and the instruction set alone.
template <typename T>
JC3D_ALWAYS_INLINE compute_t<T> sum_of(const T* values, int64_t n) {
  compute_t<T> sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; ++j) sum += to_compute(values[j]);
  return sum;
}

// Adds to each channel's sum its share of n values that start with a channel and hold `inner` of each.
template <typename T>
JC3D_ALWAYS_INLINE void sum_loop(const T* values, compute_t<T>* sums, int64_t n, int64_t inner) {
  for (int64_t j = 0; j < n; j += inner) *sums++ += sum_of(values + j, inner < n - j ? inner : n - j);
}

// The bias of n states that start with state `first` of a row: each channel's, `inner` times.
template <typename T>
JC3D_ALWAYS_INLINE void spread_loop(const T* bias, T* values, int64_t first, int64_t n, int64_t inner) {
  bias += first / inner;
  int64_t left = inner - first % inner;
  while (n > 0) {
    const int64_t same = left < n ? left : n;
    const T value = *bias++;
    for (int64_t j = 0; j < same; ++j) values[j] = value;
    values += same;
    n -= same;
    left = inner;
  }
}

template <typename T>
JC3D_ALWAYS_INLINE void add_loop(const T* values, compute_t<T>* sums, int64_t n) {
#pragma GCC ivdep
  for (int64_t j = 0; j < n; ++j) sums[j] += to_compute(values[j]);
}

template <typename T, bool output_gate>
auto forward_function(bool has_state, bool save_gates) {
  if (has_state) {
    return save_gates ? for_this_cpu<&forward_loop<T, output_gate, true, true>>()
                      : for_this_cpu<&forward_loop<T, output_gate, true, false>>();
  }
  return save_gates ? for_this_cpu<&forward_loop<T, output_gate, false, true>>()
                    : for_this_cpu<&forward_loop<T, output_gate, false, false>>();
}

template <typename T, bool output_gate>
auto backward_function(bool has_state) {
  return has_state ? for_this_cpu<&backward_loop<T, output_gate, true>>()
                   : for_this_cpu<&backward_loop<T, output_gate, false>>();
}

// States of a segment that starts at `position` of a row: whole channels, or a part of one channel.
int64_t segment_size(GateLayout layout, int64_t position, int64_t left) {
  const int64_t rest = std::min(left, layout.row_size() - position);
  if (layout.inner == 1) return std::min(rest, kSegment);
  if (layout.inner <= kSegment && position % layout.inner == 0) {
    return std::min(rest, kSegment / layout.inner * layout.inner);
  }
  return std::min({rest, kSegment, layout.inner - position % layout.inner});
}

// The bias of every state of a segment, gate by gate.
template <typename T, bool output_gate>
class SegmentBias {
 public:
  SegmentBias(const T* bias, GateLayout layout) : bias_(bias), layout_(layout) {}

  void point(ForwardSegment<T>& segment, int64_t position, int64_t n) {
    const int64_t channel = position / layout_.inner;
    for (int gate = 0; gate < kGates<output_gate>; ++gate) {
      const T* bias = bias_ + gate * layout_.channels;
      if (bias_ == nullptr) {
        segment.bias[gate] = kZeros<T>;
      } else if (layout_.inner == 1) {
        segment.bias[gate] = bias + channel;
      } else {
        // The segment before may have filled all of it with this channel.
        if (channel != spread_channel_) spread_(bias, values_[gate], position, n, layout_.inner);
        segment.bias[gate] = values_[gate];
      }
    }
    spread_channel_ = n == kSegment && layout_.inner >= kSegment ? channel : -1;
  }

 private:
  const T* bias_;
  GateLayout layout_;
  decltype(&spread_loop<T>) spread_ = for_this_cpu<&spread_loop<T>>();
  int64_t spread_channel_ = -1;
  alignas(64) T values_[4][kSegment];
};

}  // namespace

template <typename T, bool output_gate>
void lstm_gates_cpu(const GatesForward<T>& data, GateLayout layout, int64_t begin, int64_t end) {
  const auto forward = forward_function<T, output_gate>(data.c_prev != nullptr, data.gates != nullptr);
  const int64_t row_size = layout.row_size();
  SegmentBias<T, output_gate> bias(data.bias, layout);
  ForwardSegment<T> segment{};
  while (begin < end) {
    const int64_t row = begin / row_size;
    const int64_t position = begin % row_size;
    const int64_t n = segment_size(layout, position, end - begin);
    for (int gate = 0; gate < kGates<output_gate>; ++gate) {
      const int64_t offset = (row * kGates<output_gate> + gate) * row_size + position;
      segment.x[gate] = data.x_gates + offset;
      segment.h[gate] = data.h_gates == nullptr ? kZeros<T> : data.h_gates + offset;
      segment.gates[gate] = data.gates == nullptr ? nullptr : data.gates + offset;
    }
    bias.point(segment, position, n);
    segment.c_prev = data.c_prev == nullptr ? kZeros<T> : data.c_prev + begin;
    segment.h_out = data.h + begin;
    segment.c_out = data.c + begin;
    forward(segment, n);
    begin += n;
  }
}

GatePieces::GatePieces(GateLayout layout) {
  const bool pixels = layout.inner == 1;
  size = pixels ? kPiecePixels * layout.channels : layout.inner;
  count = size == 0 ? 0 : (layout.num_states() + size - 1) / size;
  bias_partials = pixels ? count : layout.rows;
}

template <typename T, bool output_gate>
void lstm_gates_backward_cpu(const GatesBackward<T>& data, GateLayout layout, int64_t begin_piece, int64_t end_piece) {
  constexpr int gates = kGates<output_gate>;
  const auto backward = backward_function<T, output_gate>(data.c_prev != nullptr);
  const auto add = for_this_cpu<&add_loop<T>>();
  const auto sum = for_this_cpu<&sum_loop<T>>();
  const GatePieces pieces(layout);
  const int64_t row_size = layout.row_size();
  const int64_t end = std::min(end_piece * pieces.size, layout.num_states());
  BackwardSegment<T> segment{};
  int64_t begin = begin_piece * pieces.size;
  while (begin < end) {
    const int64_t row = begin / row_size;
    const int64_t position = begin % row_size;
    const int64_t n = segment_size(layout, position, end - begin);
    for (int gate = 0; gate < gates; ++gate) {
      const int64_t offset = (row * gates + gate) * row_size + position;
      segment.gates[gate] = data.gates + offset;
      segment.grad_gates[gate] = data.grad_gates + offset;
    }
    segment.grad_h = data.grad_h == nullptr ? kZeros<T> : data.grad_h + begin;
    segment.grad_c = data.grad_c == nullptr ? kZeros<T> : data.grad_c + begin;
    segment.c_prev = data.c_prev == nullptr ? kZeros<T> : data.c_prev + begin;
    segment.c = data.c + begin;
    segment.grad_c_prev = data.c_prev == nullptr ? nullptr : data.grad_c_prev + begin;
    backward(segment, n);
    if (data.bias_partials != nullptr) {  // the gradients just written are still in the cache
      for (int gate = 0; gate < gates; ++gate) {
        const int64_t channel = gate * layout.channels + position / layout.inner;
        if (layout.inner == 1) {
          const int64_t piece = begin / pieces.size;
          add(segment.grad_gates[gate], data.bias_partials + piece * gates * layout.channels + channel, n);
        } else {
          sum(segment.grad_gates[gate], data.bias_partials + row * gates * layout.channels + channel, n, layout.inner);
        }
      }
    }
    begin += n;
  }
}

template <typename T>
void sum_partials_cpu(const compute_t<T>* partials, T* sums, int64_t count, int64_t channels) {
  std::vector<compute_t<T>> total(channels, 0);
  for (int64_t i = 0; i < count; ++i, partials += channels) {
    for (int64_t channel = 0; channel < channels; ++channel) total[channel] += partials[channel];
  }
  std::transform(total.begin(), total.end(), sums, [](compute_t<T> sum) { return from_compute<T>(sum); });
}

#define INSTANTIATE_GATES(T, output_gate)                                                             \
  template void lstm_gates_cpu<T, output_gate>(const GatesForward<T>&, GateLayout, int64_t, int64_t); \
  template void lstm_gates_backward_cpu<T, output_gate>(const GatesBackward<T>&, GateLayout, int64_t, int64_t)
#define INSTANTIATE(T)         \
  INSTANTIATE_GATES(T, true);  \
  INSTANTIATE_GATES(T, false); \
  template void sum_partials_cpu<T>(const compute_t<T>*, T*, int64_t, int64_t)
JC3D_FOR_EACH_FLOAT(INSTANTIATE);
#undef INSTANTIATE
#undef INSTANTIATE_GATES

}  // namespace jc3d
