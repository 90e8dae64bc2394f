"""Two operators under the names that torchao registered until it deleted them. Importing this registers them as
torch.ops.torchao: code written for those runs unchanged. ImportError where an old torchao has them."""

from tileproof import ops

ops.register("torchao", ["unpack_tensor_core_tiled_layout", "dequantize_tensor_core_tiled_layout"], group_size="int")
