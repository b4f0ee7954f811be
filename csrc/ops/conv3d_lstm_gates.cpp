// conv3d_lstm_gates: the LSTM of 3D-R2N2, without an output gate. It shares its kernels with conv_lstm_gates, which has
// one: ../kernels/lstm_gates_cpu.cpp and ../kernels/lstm_gates_cuda.cu, with `output_gate` = false.
#include "lstm_gates.h"

namespace jc3d {
namespace {

STABLE_TORCH_LIBRARY_IMPL(jc3d, CPU, library) {
  library.impl("conv3d_lstm_gates", TORCH_BOX((&lstm_gates<OnCpu, false>)));
  library.impl("conv3d_lstm_gates_", TORCH_BOX((&lstm_gates_inplace<OnCpu, false>)));
  library.impl("conv3d_lstm_gates_backward", TORCH_BOX((&lstm_gates_backward<OnCpu, false>)));
}

#ifdef JC3D_WITH_CUDA

STABLE_TORCH_LIBRARY_IMPL(jc3d, CUDA, library) {
  library.impl("conv3d_lstm_gates", TORCH_BOX((&lstm_gates<OnCuda, false>)));
  library.impl("conv3d_lstm_gates_", TORCH_BOX((&lstm_gates_inplace<OnCuda, false>)));
  library.impl("conv3d_lstm_gates_backward", TORCH_BOX((&lstm_gates_backward<OnCuda, false>)));
}

#endif  // JC3D_WITH_CUDA

}  // namespace
}  // namespace jc3d
