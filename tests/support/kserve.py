"""Servers of a model repository that speak KServe's protocol, version 2, over HTTP and over gRPC.

As Triton's do, with its extensions of binary tensors and of classification: what its own clients
send is read, and what they read is sent.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import numpy as np
from google.protobuf import json_format
from numpy.typing import NDArray
from served_models import Refused, Repository
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import np_to_triton_dtype, serialize_byte_tensor, triton_to_np_dtype


@contextmanager
def http_server(repository: Repository) -> Iterator[str]:
    """Serve over HTTP; the address, for as long as the block lasts."""

    class Handler(_Handler):
        models = repository

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def grpc_server(repository: Repository) -> Iterator[str]:
    """Serve over gRPC; the address, for as long as the block lasts."""
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", -1)])
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(_Service(repository), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


class _Handler(BaseHTTPRequestHandler):
    models: Repository
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = self.path.strip("/").split("/")
        if self.path in ("/v2/health/live", "/v2/health/ready"):
            self._answer(200, b"")
        elif parts[:2] == ["v2", "models"] and parts[2] in self.models.models:
            config = self.models.models[parts[2]].config
            if parts[3:] == ["ready"]:
                self._answer(200, b"")
            else:
                assert parts[3:] == ["config"], self.path
                text = json_format.MessageToJson(config, preserving_proto_field_name=True)
                self._answer(200, text.encode())
        else:
            self._answer(404, json.dumps({"error": "not found"}).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        length = int(self.headers.get("Inference-Header-Content-Length", len(body)))
        _, _, name, verb = self.path.strip("/").split("/")
        assert verb == "infer"
        try:
            head, blobs = self._infer(name, json.loads(body[:length]), body[length:])
        except Refused as error:
            self._answer(400, json.dumps({"error": str(error)}).encode())
            return
        text = json.dumps(head).encode()
        self._answer(200, text + blobs, {"Inference-Header-Content-Length": str(len(text))})

    def _infer(self, name: str, head: Any, blobs: bytes) -> tuple[dict[str, Any], bytes]:
        inputs, offset = {}, 0
        for tensor in head["inputs"]:
            size = tensor["parameters"]["binary_data_size"]
            blob = blobs[offset : offset + size]
            inputs[tensor["name"]] = _array(blob, tensor["datatype"], tensor["shape"])
            offset += size
        asked = {o["name"]: o.get("parameters", {}) for o in head.get("outputs", ())}
        found = self.models.infer(name, inputs, tuple(asked))
        listed, parts = [], []
        for output, array in found.items():
            classes = asked.get(output, {}).get("classification", 0)
            kind, shape, blob = _sent(self.models, name, output, array, classes)
            parameters = {"binary_data_size": len(blob)}
            listed.append(
                {"name": output, "datatype": kind, "shape": shape, "parameters": parameters}
            )
            parts.append(blob)
        return {"model_name": name, "model_version": "1", "outputs": listed}, b"".join(parts)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Service(service_pb2_grpc.GRPCInferenceServiceServicer):
    def __init__(self, models: Repository) -> None:
        self.models = models

    def ServerReady(self, request: Any, context: Any) -> Any:
        return service_pb2.ServerReadyResponse(ready=True)

    def ModelReady(self, request: Any, context: Any) -> Any:
        return service_pb2.ModelReadyResponse(ready=request.name in self.models.models)

    def ModelInfer(self, request: Any, context: Any) -> Any:
        inputs = {
            tensor.name: _array(blob, tensor.datatype, tensor.shape)
            for tensor, blob in zip(request.inputs, request.raw_input_contents, strict=True)
        }
        name = request.model_name
        try:
            found = self.models.infer(name, inputs, tuple(o.name for o in request.outputs))
        except Refused as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        answer = service_pb2.ModelInferResponse(model_name=name, model_version="1")
        asked = {output.name: output.parameters for output in request.outputs}
        for output, array in found.items():
            classes = asked[output]["classification"].int64_param if asked.get(output) else 0
            kind, shape, blob = _sent(self.models, name, output, array, classes)
            answer.outputs.add(name=output, datatype=kind, shape=shape)
            answer.raw_output_contents.append(blob)
        return answer


def _array(blob: bytes, kind: str, shape: Any) -> NDArray[Any]:
    array: NDArray[Any] = np.frombuffer(blob, triton_to_np_dtype(kind)).reshape(list(shape))
    return array


def _sent(
    models: Repository, name: str, output: str, array: NDArray[Any], classes: int
) -> tuple[str, list[int], bytes]:
    """Type, shape and bytes of a tensor, or of the best classes as "value:index:label"."""
    if not classes:
        return np_to_triton_dtype(array.dtype), list(array.shape), array.tobytes()
    labels = models.models[name].labels[output]
    best = np.argsort(-array, axis=1)[:, :classes]
    pairs = zip(array, best, strict=True)
    texts = [[f"{row[i]}:{i}:{labels[i]}" for i in top] for row, top in pairs]
    return "BYTES", list(best.shape), serialize_byte_tensor(np.array(texts, object)).item()
