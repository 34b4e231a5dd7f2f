"""Graphs that take frames of uint8 and give frames of uint8: all of a model in one ONNX file."""
