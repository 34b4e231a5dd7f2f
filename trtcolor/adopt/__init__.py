"""Other people's networks: any colouriser's ONNX file made into a bundle (`adopt.adopt`)."""
