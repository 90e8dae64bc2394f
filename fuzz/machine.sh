# What a machine has: sourced by the launcher and by nightly.
[[ ! -x /usr/local/cuda/bin/nvcc ]] || PATH+=:/usr/local/cuda/bin

has_any() { local name; for name; do ! command -v "$name" >/dev/null || return 0; done; return 1; }

# The GPUs that the driver shows, before CUDA_VISIBLE_DEVICES hides some.
count_gpus() {
  local devices
  mapfile -t devices < <(compgen -G '/dev/nvidia[0-9]*')
  ((${#devices[@]})) || mapfile -t devices < <(nvidia-smi -L 2>/dev/null | grep '^GPU')  # WSL has no such files
  echo "${#devices[@]}"
}

# Whether CUDA sees a GPU. It stops reading CUDA_VISIBLE_DEVICES at the first entry that is no device, so the first one decides.
# NVIDIA's container runtime takes `void` and `none` for no GPU.
has_gpu() {
  local count first
  [[ ! ${NVIDIA_VISIBLE_DEVICES-} =~ ^(void|none)$ ]] || return 1
  count=$(count_gpus)
  IFS=, read -r first _ <<<"${CUDA_VISIBLE_DEVICES-0}"
  first=${first//[[:space:]]/}
  if [[ $first =~ ^[0-9]+$ ]]; then ((10#$first < count)); else [[ $first =~ ^(GPU|MIG)- ]] && ((count)); fi
}
