// conv_lstm_gates: the LSTM with an output gate. It shares its kernels with conv3d_lstm_gates, which has none:
// ../kernels/lstm_gates_cpu.cpp and ../kernels/lstm_gates_cuda.cu, with `output_gate` = true.
#include "lstm_gates.h"

namespace jc3d {
namespace {

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("conv_lstm_gates", TORCH_BOX((&lstm_gates<OnCpu, true>)));
  library.impl("conv_lstm_gates_", TORCH_BOX((&lstm_gates_inplace<OnCpu, true>)));
  library.impl("conv_lstm_gates_backward", TORCH_BOX((&lstm_gates_backward<OnCpu, true>)));
}

#ifdef JC3D_WITH_CUDA

STABLE_TORCH_LIBRARY_IMPL(jc3d, CUDA, library) {
  library.impl("conv_lstm_gates", TORCH_BOX((&lstm_gates<OnCuda, true>)));
  library.impl("conv_lstm_gates_", TORCH_BOX((&lstm_gates_inplace<OnCuda, true>)));
  library.impl("conv_lstm_gates_backward", TORCH_BOX((&lstm_gates_backward<OnCuda, true>)));
}

#endif  // JC3D_WITH_CUDA

}  // namespace
}  // namespace jc3d
