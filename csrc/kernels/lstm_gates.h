// The pointwise part of a convolutional LSTM: from the pre-activations of the gates and the old cell state to the new
// states, and back. With an output gate ([J] eqs. 3-8) or without one (3D-R2N2): `output_gate`, a template flag.
#pragma once

#include <cstdint>

#include "activations.h"
#include "scalar.h"

namespace jc3d {

// Gates are [N, gates * C, *S] in the order input, forget, cell, output; states are [N, C, *S]. In memory both are
// rows, one gate of a row after the other: a row is a sample of contiguous tensors (inner = S elements a channel) or a
// pixel of channels-last ones (inner = 1).
struct GateLayout {
  int64_t rows;
  int64_t channels;
  int64_t inner;

  JC3D_HOST_DEVICE int64_t row_size() const { return channels * inner; }
  JC3D_HOST_DEVICE int64_t num_states() const { return rows * row_size(); }
};

template <bool output_gate>
constexpr int kGates = output_gate ? 4 : 3;

template <typename T>
struct GatesForward {
  const T* x_gates;  // [N, gates * C, *S], pre-activations
  const T* h_gates;  // the same, or nullptr
  const T* bias;     // [gates * C], or nullptr
  const T* c_prev;   // [N, C, *S], or nullptr: no state yet
  T* h;              // [N, C, *S]
  T* c;              // [N, C, *S]; may be c_prev
  T* gates;          // [N, gates * C, *S], activated, for the backward pass; or nullptr
};

template <typename T>
struct GatesBackward {
  const T* grad_h;              // [N, C, *S], or nullptr: zero
  const T* grad_c;              // [N, C, *S], or nullptr: zero
  const T* gates;               // [N, gates * C, *S], activated
  const T* c_prev;              // [N, C, *S], or nullptr
  const T* c;                   // [N, C, *S]
  T* grad_gates;                // [N, gates * C, *S], of the pre-activations
  T* grad_c_prev;               // [N, C, *S], or nullptr where c_prev is
  compute_t<T>* bias_partials;  // sums of grad_gates over some states each, on the CPU zero at first; or nullptr
};

// One unit's gates, pre-activations before `activate`.
template <typename Number>
struct UnitGates {
  Number i, f, g, o;
};

template <bool output_gate, typename Number>
JC3D_INLINE void activate(UnitGates<Number>& unit) {
  unit.i = sigmoid(unit.i);
  unit.f = sigmoid(unit.f);
  unit.g = tanh_of(unit.g);
  if constexpr (output_gate) unit.o = sigmoid(unit.o);
}

// c of activated gates; without a state f * c_prev is left out.
template <bool has_state, typename Number>
JC3D_INLINE Number next_c(const UnitGates<Number>& unit, Number c_prev) {
  const Number entering = unit.i * unit.g;
  return has_state ? unit.f * c_prev + entering : entering;
}

template <bool output_gate, typename Number>
JC3D_INLINE Number next_h(const UnitGates<Number>& unit, Number c) {
  return output_gate ? unit.o * tanh_of(c) : tanh_of(c);
}

// New states where nobody wants the activated gates: products share their divisions. A sigmoid under e^-34 = 2e-15 is
// taken for that in a product, lest the numbers under the line overflow.
template <bool output_gate, bool has_state, typename Number>
JC3D_INLINE void next_states(const UnitGates<Number>& pre, Number c_prev, Number& c, Number& h) {
  constexpr Number lowest = Number(-34);
  const Ratio<Number> cell = tanh_ratio(pre.g);
  c = cell.over / (cell.under * sigmoid_under(pre.i < lowest ? lowest : pre.i));
  if constexpr (has_state) c += c_prev / sigmoid_under(pre.f);
  const Ratio<Number> bounded = tanh_ratio(c);
  h = output_gate ? bounded.over / (bounded.under * sigmoid_under(pre.o < lowest ? lowest : pre.o))
                  : bounded.over / bounded.under;
}

// The gradient of one unit's pre-activations and of c_prev.
template <typename Number>
struct UnitGradients {
  UnitGates<Number> gates;
  Number c_prev;
};

template <bool output_gate, bool has_state, typename Number>
JC3D_INLINE UnitGradients<Number> unit_backward(const UnitGates<Number>& unit, Number c_prev, Number c, Number grad_h,
                                                Number grad_c) {
  UnitGradients<Number> grad{};
  const Number tanh_c = tanh_of(c);
  const Number grad_tanh = output_gate ? grad_h * unit.o : grad_h;
  const Number total = grad_tanh * (Number(1) - tanh_c * tanh_c) + grad_c;
  grad.gates.i = total * unit.g * (unit.i * (Number(1) - unit.i));
  grad.gates.f = has_state ? total * c_prev * (unit.f * (Number(1) - unit.f)) : Number(0);
  grad.gates.g = total * unit.i * (Number(1) - unit.g * unit.g);
  if constexpr (output_gate) grad.gates.o = grad_h * tanh_c * (unit.o * (Number(1) - unit.o));
  grad.c_prev = total * unit.f;
  return grad;
}

// Forward on the CPU: states begin to end, counted over [rows, channels * inner].
template <typename T, bool output_gate>
void lstm_gates_cpu(const GatesForward<T>& data, GateLayout layout, int64_t begin, int64_t end);

// A piece of the backward pass on the CPU. Its extent depends on the layout alone, so sums over a piece do not depend
// on the number of threads: a channel of a sample, or some pixels with all their channels.
struct GatePieces {
  explicit GatePieces(GateLayout layout);

  int64_t count;          // pieces in all
  int64_t size;           // states in a piece, the last one perhaps fewer
  int64_t bias_partials;  // rows of gates * C sums that they write
};

template <typename T, bool output_gate>
void lstm_gates_backward_cpu(const GatesBackward<T>& data, GateLayout layout, int64_t begin_piece, int64_t end_piece);

// partials [count, channels] -> sums [channels].
template <typename T>
void sum_partials_cpu(const compute_t<T>* partials, T* sums, int64_t count, int64_t channels);

// All states, on the GPU: device pointers. Returns nullptr or an error message.
template <typename T, bool output_gate>
const char* lstm_gates_cuda(const GatesForward<T>& data, GateLayout layout, void* stream);

// Numbers that bias_partials holds on the GPU.
template <typename T, bool output_gate>
int64_t bias_partials_size_cuda(GateLayout layout);

// All states; grad_bias [gates * C], or nullptr where bias_partials is.
template <typename T, bool output_gate>
const char* lstm_gates_backward_cuda(const GatesBackward<T>& data, T* grad_bias, GateLayout layout, void* stream);

}  // namespace jc3d
