"""How many threads libraries compute with."""

from __future__ import annotations

# Libraries read these when they are imported. Threads of several requests or workers that share the cores slow each
# other down, so each gets one; what the user has set stays. The last is what joblib takes for all cores, and with it
# `n_jobs=-1` and LightGBM.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "LOKY_MAX_CPU_COUNT": "1",
}
