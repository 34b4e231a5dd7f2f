"""A model as a repository of NVIDIA's Triton Inference Server: `trtcolor.triton.repository`.

Who asks the server needs `tritonclient` and nothing of trtcolor (a test runs this):

    import numpy as np
    import tritonclient.http as triton
    from PIL import Image

    frames = np.asarray(Image.open("old.png").convert("RGB"))[None]  # (N, H, W, 3) uint8
    given = triton.InferInput("frames", list(frames.shape), "UINT8")
    given.set_data_from_numpy(frames)
    client = triton.InferenceServerClient("localhost:8000")
    answer = client.infer("trtcolor-base", [given])
    Image.fromarray(answer.as_numpy("rgb")[0]).save("coloured.png")
"""
