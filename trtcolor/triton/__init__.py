"""A model as a repository of NVIDIA's Triton Inference Server: `trtcolor.triton.repository`."""
