"""One file per family of kernels; `registry` lists them all."""
