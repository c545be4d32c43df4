"""The web app. Its many threads share the processors; if the matrix library starts more of its own, a step takes thrice as long."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
