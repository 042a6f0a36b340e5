"""ONNX files: dense networks with ReLU-like activations.

The graph is run once on symbols: a tensor holds numbers that are known, or wires (see `assemble`) that depend on the
input. The batch has one row. Casts between float types are the identity, since the network is read as a function of
real numbers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from verifier.importers.assemble import Assembly, finite, fractions, limit, rounded
from verifier.importers.failure import MOST_BYTES, MOST_STEPS, MOST_WEIGHTS, ImportFailed, contents, missing_extra
from verifier.model.network import Floats, Ints, Network

if TYPE_CHECKING:
    import onnx

Array = NDArray[Any]
SMALL = 100_000
"""Tables of constants up to this size are folded with rationals; larger ones only where float64 is exact for sure."""


class Tensor(Struct, frozen=True):
    """Numbers that are known, or the wires of numbers that are not.

    `end`: the operator that allows no arithmetic after it.
    """

    array: Array
    wired: bool
    end: str = ""


class Call(Struct, frozen=True):
    """One node of the graph, with its inputs (None where an optional one is left out)."""

    op: str
    name: str
    inputs: tuple[Tensor | None, ...]
    attributes: dict[str, Any]
    opset: int
    net: Assembly

    def fail(self, why: str, fix: str = "") -> NoReturn:
        raise ImportFailed(f"Node `{self.name}` ({self.op}): {why}", fix)

    def optional(self, index: int) -> Tensor | None:
        return self.inputs[index] if index < len(self.inputs) else None

    def tensor(self, index: int) -> Tensor:
        """Input `index`, ready for arithmetic."""
        tensor = self.optional(index)
        if tensor is None:
            self.fail(f"input {index} is missing.")
        if tensor.end and self.op not in PASSING:
            self.fail(f"{tensor.end} must be the last operator.", "Export the network up to its scores (logits).")
        return tensor

    def known(self, index: int) -> Array:
        tensor = self.tensor(index)
        if tensor.wired:
            self.fail(f"input {index} must be a constant.")
        return tensor.array

    def wires(self, tensor: Tensor) -> Ints:
        """The wires of a tensor; numbers that are known become a constant value."""
        if tensor.wired:
            return tensor.array
        return self.net.constant(finite(tensor.array).ravel()).reshape(tensor.array.shape)

    def whole_numbers(self, index: int, attribute: str) -> list[int] | None:
        """A list of integers: the input `index` of newer operator sets, or the attribute of older ones.

        None when left out.
        """
        if self.optional(index) is not None:
            given = self.known(index)
        elif attribute in self.attributes:
            given = np.asarray(self.attributes[attribute])
        else:
            return None
        if given.dtype.kind not in "iu":
            self.fail(f"{attribute} must be integers.")
        return [int(n) for n in given.ravel()]

    def axis(self, default: int, rank: int) -> int:
        """The attribute `axis`, counted from the front."""
        axis = self.attributes.get("axis", default)
        if not isinstance(axis, int) or not -rank <= axis < max(rank, 1):
            self.fail(f"the axis {axis} is out of range.")
        return axis + rank if axis < 0 else axis


def parse(path: Path) -> tuple[Network, str]:
    """The network of an ONNX file, and the operator at its end that was dropped ("" without one).

    One output: scores (argmax), or one logit (class 1 iff > 0); a last Softmax or Sigmoid is dropped.
    """
    data = contents(path)
    try:
        model = messages().ModelProto.FromString(data)
    except ImportError:
        raise missing_extra("onnx", "onnx") from None
    except Exception as error:  # protobuf raises types of its own
        raise ImportFailed(f"{path.name} is not an ONNX file: {error}.", "Export the model again.") from None
    graph = model.graph
    opset = max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)
    if not graph.node and not graph.output:
        raise ImportFailed(f"{path.name} holds no ONNX graph.", "Export the model again.")
    if len(graph.node) > MOST_STEPS:
        raise ImportFailed(f"The model has more than {MOST_STEPS} nodes.", "Use a smaller model.")
    tensors = {t.name: Tensor(numbers(t, path.parent), False) for t in graph.initializer}
    name, shape = only_input(graph, set(tensors))
    net = Assembly(size(shape))
    tensors[name] = Tensor(net.value(0).reshape(shape), True)
    for node in graph.node:
        attributes = {a.name: attribute(a, path.parent) for a in node.attribute}
        inputs = [look_up(tensors, node, i) if i else None for i in node.input]
        if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
            raise unsupported(node)
        call = Call(node.op_type, label(node), tuple(inputs), attributes, opset, net)
        result = OPERATORS[node.op_type](call)
        limit(result.array.size)
        if node.output:
            tensors[node.output[0]] = result
    if len(graph.output) != 1:
        raise ImportFailed(f"The model has {len(graph.output)} outputs, not one.", "Export only the scores.")
    output = tensors.get(graph.output[0].name)
    if output is None:
        raise ImportFailed(f"No node computes the output `{graph.output[0].name}`.")
    scores = output.array if output.wired else net.constant(finite(output.array).ravel()).reshape(output.array.shape)
    if scores.size != max(scores.shape, default=1):
        raise ImportFailed(f"The output has the shape {list(scores.shape)}: expected one row of scores.")
    rule = "positive" if scores.size == 1 else "argmax"
    return net.finish(scores.ravel(), rule, "onnx", str(path)), output.end  # type: ignore[arg-type]


def messages() -> Any:
    """The message types of the package onnx: its module `onnx_ml_pb2`, without the rest, which takes longer to load
    than most models to read. Raises ImportError."""
    name, package = "onnx.onnx_ml_pb2", find_spec("onnx")
    if package is None:
        raise ImportError("there is no package onnx")
    if name not in sys.modules:
        spec = PathFinder.find_spec(name, package.submodule_search_locations)
        if spec is None or spec.loader is None:
            raise ImportError(f"there is no module {name}")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module  # where onnx finds it when it is loaded later, too
    return sys.modules[name]


def label(node: onnx.NodeProto) -> str:
    return node.name or (node.output[0] if node.output else "")


def unsupported(node: onnx.NodeProto) -> ImportFailed:
    kind = f"{node.domain}.{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type
    if kind in CURVED:
        return ImportFailed(
            f"Node `{label(node)}` ({kind}) is not piecewise linear.",
            "Use ReLU inside; Softmax, Sigmoid only as the last operator.",
        )
    if kind == "BatchNormalization":
        return ImportFailed(
            f"Node `{label(node)}` ({kind}) divides by a square root, which is no rational number.",
            "Fold it into the layer before: export the model in evaluation mode, or run onnxsim.",
        )
    return ImportFailed(
        f"Node `{label(node)}` ({kind}) is not supported.", f"Supported: {', '.join(sorted(OPERATORS))}."
    )


def look_up(tensors: dict[str, Tensor], node: onnx.NodeProto, name: str) -> Tensor:
    if name not in tensors:
        raise ImportFailed(f"Node `{label(node)}` ({node.op_type}) reads `{name}`, which no earlier node computes.")
    return tensors[name]


def size(shape: tuple[int, ...]) -> int:
    """The number of entries, in Python integers."""
    entries = 1
    for n in shape:
        entries *= n
    return entries


def only_input(graph: onnx.GraphProto, constants: set[str]) -> tuple[str, tuple[int, ...]]:
    """Name and shape of the one input that is no constant, with a batch of one row."""
    free = [i for i in graph.input if i.name not in constants]
    if len(free) != 1:
        raise ImportFailed(f"The model has {len(free)} inputs, not one: {', '.join(i.name for i in free)}.")
    kind = free[0].type.tensor_type
    if not free[0].type.HasField("tensor_type") or kind.elem_type not in FLOATS or not kind.HasField("shape"):
        raise ImportFailed(f"The input `{free[0].name}` must be a tensor of floats with a shape.")
    shape = []
    for position, dimension in enumerate(kind.shape.dim):
        n = dimension.dim_value
        if n < 1 and position > 0:
            raise ImportFailed(
                f"The input `{free[0].name}` has no fixed length along axis {position}.", "Export with a fixed shape."
            )
        shape.append(max(n, 1))
    limit(size(tuple(shape)))
    return free[0].name, tuple(shape)


FLOATS = {1, 10, 11, 16}
"""TensorProto types: float, float16, double, bfloat16."""


def numbers(tensor: onnx.TensorProto, folder: Path) -> Array:
    """The numbers of a stored tensor.

    Float64, int64 or bool. Data in other files is read only from within the model's folder.
    """
    entries = size(tuple(tensor.dims))
    if any(n < 0 for n in tensor.dims):
        raise ImportFailed(f"The tensor `{tensor.name}` has a negative length.")
    limit_weights(entries, tensor.name)
    if tensor.data_location == tensor.EXTERNAL:
        tensor = with_external(tensor, folder)
    try:
        array = stored(tensor)
    except Exception as error:  # onnx raises many types on damaged tensors
        raise ImportFailed(f"The tensor `{tensor.name}` is damaged: {error}.", "Export the model again.") from None
    if tensor.data_type in FLOATS:
        return array.astype(np.float64)
    if array.dtype.kind in "iu" and array.dtype != np.uint64:
        return array.astype(np.int64)
    if array.dtype.kind == "b":
        return array
    raise ImportFailed(
        f"The tensor `{tensor.name}` has the type {tensor.DataType.Name(tensor.data_type)}, which is no number."
    )


PLAIN = {1: ("<f4", "float_data"), 6: ("<i4", "int32_data"), 7: ("<i8", "int64_data"), 11: ("<f8", "double_data")}
"""TensorProto types: float, int32, int64, double -> numpy's, and where their numbers lie if not as raw bytes."""


def stored(tensor: onnx.TensorProto) -> Array:
    """`onnx.numpy_helper.to_array`, which is loaded for unusual types only."""
    if tensor.data_type not in PLAIN or tensor.HasField("segment"):
        from onnx import numpy_helper

        return np.asarray(numpy_helper.to_array(tensor))
    kind, field = PLAIN[tensor.data_type]
    raw = tensor.HasField("raw_data")
    numbers = np.frombuffer(tensor.raw_data, kind) if raw else np.array(getattr(tensor, field), kind)
    return numbers.reshape(tuple(tensor.dims))


def limit_weights(entries: int, name: str) -> None:
    if entries > MOST_WEIGHTS:
        raise ImportFailed(f"The tensor `{name}` has {entries:,} entries.", f"At most {MOST_WEIGHTS:,} are possible.")


def with_external(tensor: onnx.TensorProto, folder: Path) -> onnx.TensorProto:
    """The tensor with its bytes, which lie in another file of the same folder."""
    entries = {e.key: e.value for e in tensor.external_data}
    home = folder.resolve()
    try:
        place = (home / entries.get("location", "")).resolve()
        offset, length = int(entries.get("offset", "0")), int(entries.get("length", "-1"))
    except (ValueError, OSError) as error:
        raise ImportFailed(f"The tensor `{tensor.name}` has a damaged place: {error}.") from None
    if not place.is_relative_to(home):
        raise ImportFailed(
            f"The tensor `{tensor.name}` is stored outside the folder of the model.", "Put its data beside the model."
        )
    data = contents(place)
    end = len(data) if length < 0 else offset + length
    if not 0 <= offset <= end <= len(data) <= MOST_BYTES:
        raise ImportFailed(f"The tensor `{tensor.name}` lies beyond the end of {place.name}.")
    filled = type(tensor)()
    filled.CopyFrom(tensor)
    filled.ClearField("external_data")
    filled.data_location = tensor.DEFAULT
    filled.raw_data = data[offset:end]
    return filled


def attribute(given: onnx.AttributeProto, folder: Path) -> Any:
    """The value of an attribute; a tensor as numbers, a graph or anything unusual as None."""
    match given.type:
        case given.INT:
            return given.i
        case given.FLOAT:
            return given.f
        case given.INTS:
            return np.array(given.ints, dtype=np.int64)
        case given.FLOATS:
            return np.array(given.floats, dtype=np.float64)
        case given.TENSOR:
            return numbers(given.t, folder)
        case _:
            return None


# Constants


def exact(call: Call, operate: Callable[[Fraction, Fraction], Fraction], left: Array, right: Array) -> Array | None:
    """`operate` entry by entry, or None where the result is no float64 (or the table is large).

    Integers stay integers.
    """
    if left.size > SMALL:
        return None
    try:
        results = [
            operate(Fraction(a), Fraction(b))
            for a, b in zip(left.ravel().tolist(), right.ravel().tolist(), strict=True)
        ]
    except (ZeroDivisionError, ValueError, OverflowError):
        call.fail("a constant is divided by zero, NaN or infinite.")
    if left.dtype.kind in "iu" and right.dtype.kind in "iu":
        if any(r.denominator != 1 or abs(r.numerator) >= 2**63 for r in results):
            call.fail("integer constants overflow or do not divide.")
        return np.array([r.numerator for r in results], dtype=np.int64).reshape(left.shape)
    floats = rounded(results)
    return None if floats is None else floats.reshape(left.shape)


def product(left: Floats, right: Floats) -> Floats | None:
    """left * right entry by entry, or None where that rounds: two float32 always give an exact float64."""
    if all((part == part.astype(np.float32)).all() for part in (left, right)):
        return left * right
    if left.size > SMALL:
        return None
    pairs = zip(fractions(left), fractions(right), strict=True)
    floats = rounded([a * b for a, b in pairs])
    return None if floats is None else floats.reshape(left.shape)


# Arithmetic

BILINEAR = "the product of two values of which neither is a float64 constant is not piecewise linear."


def broadcast(call: Call, *tensors: Tensor) -> list[Tensor]:
    """The tensors, stretched to one common shape."""
    if call.opset < 7 and ("axis" in call.attributes or call.attributes.get("broadcast")):
        call.fail(
            "broadcasting of operator sets before 7 is not supported.", "Convert the model to a newer operator set."
        )
    try:
        shape = np.broadcast_shapes(*(t.array.shape for t in tensors))
    except ValueError:
        call.fail(f"the shapes {', '.join(str(list(t.array.shape)) for t in tensors)} do not fit.")
    limit(size(shape))
    return [replace(t, array=np.broadcast_to(t.array, shape)) for t in tensors]


def pair(call: Call) -> tuple[Tensor, Tensor]:
    left, right = broadcast(call, call.tensor(0), call.tensor(1))
    return left, right


def wired(wires: Ints, like: Tensor) -> Tensor:
    return Tensor(wires.reshape(like.array.shape), True)


def add(call: Call) -> Tensor:
    return plus(call, *pair(call))


def plus(call: Call, left: Tensor, right: Tensor) -> Tensor:
    """left + right, of one shape."""
    match left.wired, right.wired:
        case True, True:
            return wired(call.net.combine((left.array.ravel(), 1.0), (right.array.ravel(), 1.0)), left)
        case True, False:
            return wired(call.net.add(left.array.ravel(), finite(right.array).ravel()), left)
        case False, True:
            return plus(call, right, left)
    folded = exact(call, lambda a, b: a + b, left.array, right.array)
    return Tensor(folded, False) if folded is not None else plus(call, Tensor(call.wires(left), True), right)


def minus(call: Call, tensor: Tensor) -> Tensor:
    """-tensor."""
    if tensor.wired:
        return wired(call.net.negate(tensor.array.ravel()), tensor)
    return replace(tensor, array=-tensor.array)


def subtract(call: Call) -> Tensor:
    left, right = pair(call)
    if left.wired and right.wired:
        return wired(call.net.combine((left.array.ravel(), 1.0), (right.array.ravel(), -1.0)), left)
    return plus(call, left, minus(call, right))


def negate(call: Call) -> Tensor:
    return minus(call, call.tensor(0))


def multiply(call: Call) -> Tensor:
    return times(call, *pair(call))


def times(call: Call, left: Tensor, right: Tensor) -> Tensor:
    """left * right, of one shape; one of them must be known."""
    if left.wired and right.wired:
        call.fail(BILINEAR)
    if right.wired:
        left, right = right, left
    if not left.wired:
        folded = exact(call, lambda a, b: a * b, left.array, right.array)
        if folded is not None:
            return Tensor(folded, False)
    return wired(call.net.scale(call.wires(left).ravel(), finite(right.array).ravel()), left)


def divide(call: Call) -> Tensor:
    left, right = pair(call)
    if right.wired:
        call.fail("a division by a value that depends on the input is not piecewise linear.")
    if not left.wired:
        folded = exact(call, lambda a, b: a / b, left.array, right.array)
        if folded is not None:
            return Tensor(folded, False)
    return wired(call.net.divide(call.wires(left).ravel(), finite(right.array).ravel()), left)


def total(call: Call) -> Tensor:
    """Sum of any number of tensors."""
    result, *rest = broadcast(call, *(call.tensor(i) for i in range(len(call.inputs))))
    for tensor in rest:
        result = plus(call, result, tensor)
    return result


def matmul(call: Call) -> Tensor:
    return matrix_product(call, call.tensor(0), call.tensor(1))


def matrix_product(call: Call, left: Tensor, right: Tensor) -> Tensor:
    """left @ right; one of them is known, and has at most two axes (or more of length 1)."""
    if left.wired and right.wired:
        call.fail(BILINEAR)
    if not left.array.ndim or not right.array.ndim:
        call.fail("a scalar is no matrix.")
    if right.wired:
        turned = [
            replace(t, array=np.swapaxes(t.array, -1, -2) if t.array.ndim > 1 else t.array) for t in (right, left)
        ]
        product = matrix_product(call, *turned)
        both = left.array.ndim > 1 and right.array.ndim > 1
        return replace(product, array=np.swapaxes(product.array, -1, -2)) if both else product
    if any(n != 1 for n in right.array.shape[:-2]):
        call.fail("the product with a batch of matrices is not supported.")
    wires = call.wires(left)
    matrix = finite(right.array).reshape(right.array.shape[-2:])
    weights: Floats = matrix.T if matrix.ndim == 2 else matrix.reshape(1, -1)
    width = wires.shape[-1]
    if weights.shape[1] != width:
        call.fail(f"the shapes {list(left.array.shape)} and {list(right.array.shape)} do not fit.")
    if 0 in (*weights.shape, *wires.shape):
        call.fail("a matrix is empty.")
    lead = wires.shape[:-1]
    if right.array.ndim > 2:
        lead = np.broadcast_shapes(lead, (1,) * (right.array.ndim - 2))
    rows = [call.net.affine([(row, weights)], np.zeros(len(weights))) for row in wires.reshape(-1, width)]
    return Tensor(np.stack(rows).reshape(*lead, *([len(weights)] if matrix.ndim == 2 else [])), True)


def gemm(call: Call) -> Tensor:
    """alpha A B + beta C, A and B possibly transposed."""
    left, right = call.tensor(0), call.tensor(1)
    if left.array.ndim != 2 or right.array.ndim != 2:
        call.fail("its factors must be matrices.")
    left = replace(left, array=left.array.T) if call.attributes.get("transA") else left
    right = replace(right, array=right.array.T) if call.attributes.get("transB") else right
    left, right = (left, scaled(call, right, "alpha")) if left.wired else (scaled(call, left, "alpha"), right)
    result = matrix_product(call, left, right)
    if call.optional(2) is None:
        return result
    product, offset = broadcast(call, result, scaled(call, call.tensor(2), "beta"))
    return plus(call, product, offset)


def scaled(call: Call, tensor: Tensor, attribute: str) -> Tensor:
    """tensor * the attribute, 1 by default."""
    factor = call.attributes.get(attribute, 1.0)
    if factor == 1.0:
        return tensor
    factors = np.full(tensor.array.shape, factor, dtype=np.float64)
    folded = None if tensor.wired else product(finite(tensor.array), finite(factors))
    return Tensor(folded, False) if folded is not None else times(call, tensor, Tensor(factors, False))


# Activations


def relu(call: Call) -> Tensor:
    tensor = call.tensor(0)
    return wired(call.net.relu(call.wires(tensor).ravel()), tensor)


def leaky(call: Call) -> Tensor:
    tensor = call.tensor(0)
    slope = np.full(tensor.array.size, call.attributes.get("alpha", np.float32(0.01)), dtype=np.float64)
    return wired(call.net.leaky(call.wires(tensor).ravel(), slope), tensor)


def prelu(call: Call) -> Tensor:
    tensor, slope = broadcast(call, call.tensor(0), Tensor(call.known(1), False))
    return wired(call.net.leaky(call.wires(tensor).ravel(), finite(slope.array).ravel()), tensor)


def absolute(call: Call) -> Tensor:
    tensor = call.tensor(0)
    return wired(call.net.absolute(call.wires(tensor).ravel()), tensor)


def extreme(call: Call) -> Tensor:
    """Max or Min of any number of tensors."""
    result, *rest = broadcast(call, *(call.tensor(i) for i in range(len(call.inputs))))
    for tensor in rest:
        result = greater(call, result, tensor) if call.op == "Max" else smaller(call, result, tensor)
    return result


def greater(call: Call, left: Tensor, right: Tensor) -> Tensor:
    """max(left, right), of one shape."""
    if left.wired and right.wired:
        return wired(call.net.maximum(left.array.ravel(), right.array.ravel()), left)
    if right.wired:
        left, right = right, left
    if not left.wired:
        return replace(left, array=np.maximum(left.array, right.array))
    return wired(call.net.at_least(left.array.ravel(), finite(right.array).ravel()), left)


def smaller(call: Call, left: Tensor, right: Tensor) -> Tensor:
    """min(left, right), of one shape."""
    if left.wired and right.wired:
        return wired(call.net.minimum(left.array.ravel(), right.array.ravel()), left)
    if right.wired:
        left, right = right, left
    if not left.wired:
        return replace(left, array=np.minimum(left.array, right.array))
    return wired(call.net.at_most(left.array.ravel(), finite(right.array).ravel()), left)


def clip(call: Call) -> Tensor:
    """min(max(x, low), high); a bound that is left out or infinite does nothing."""
    result = call.tensor(0)
    for index, name, none, bound in ((1, "min", -np.inf, greater), (2, "max", np.inf, smaller)):
        given = call.known(index) if call.optional(index) is not None else np.asarray(call.attributes.get(name, none))
        if given.size != 1:
            call.fail(f"{name} must be one number.")
        if given.item() != none:
            limits = np.full(result.array.shape, given.item())
            result = bound(call, result, Tensor(limits, False))
    return result


# Ends


def covers(call: Call, tensor: Tensor, default: int) -> None:
    """Fails unless the attribute `axis` runs over all scores, of which there are two or more."""
    axis = call.axis(default, tensor.array.ndim)
    along = (
        size(tensor.array.shape[axis:])
        if call.opset < 13 and call.op != "ArgMax"
        else size(tensor.array.shape[axis : axis + 1])
    )
    if along != tensor.array.size or along < 2:
        call.fail(f"it must run over all scores, here of shape {list(tensor.array.shape)}.")


def softmax(call: Call) -> Tensor:
    """Monotone: the largest score keeps its place."""
    tensor = call.tensor(0)
    covers(call, tensor, 1 if call.opset < 13 else -1)
    return Tensor(call.wires(tensor), True, call.op)


def sigmoid(call: Call) -> Tensor:
    """Monotone, and > 1/2 iff the logit is > 0."""
    return Tensor(call.wires(call.tensor(0)), True, call.op)


def arg_extreme(call: Call) -> Tensor:
    """ArgMax or ArgMin: the scores themselves, with the rule argmax."""
    given = call.optional(0)
    if given is None or given.end in ("ArgMax", "ArgMin"):
        call.fail("it must run over scores.")
    tensor = replace(given, end="")
    axis = call.axis(0, tensor.array.ndim)
    if tensor.array.ndim == 0 or tensor.array.shape[axis] != tensor.array.size or tensor.array.size < 2:
        call.fail(f"it must run over all scores, here of shape {list(tensor.array.shape)}.")
    if call.attributes.get("select_last_index"):
        call.fail("ties go to the last class.", "Export with select_last_index = 0.")
    scores = Tensor(call.wires(tensor), True)
    return replace(minus(call, scores) if call.op == "ArgMin" else scores, end=call.op)


# Shapes


def reshaped(call: Call, reshape: Callable[[Array], Array]) -> Tensor:
    """Input 0 with its entries in another order or shape.

    Nothing happens after ArgMax or Softmax, where one row is left.
    """
    tensor = call.tensor(0)
    if tensor.end:
        return tensor
    try:
        return replace(tensor, array=reshape(tensor.array))
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        call.fail(f"the shape {list(tensor.array.shape)} does not fit: {error}.")


def identity(call: Call) -> Tensor:
    return call.tensor(0)


def dropout(call: Call) -> Tensor:
    training = call.optional(2)
    if (training is not None and (training.wired or training.array.any())) or (
        call.opset < 7 and not call.attributes.get("is_test")
    ):
        call.fail("the model was exported for training.", "Export it in evaluation mode.")
    return call.tensor(0)


def cast(call: Call) -> Tensor:
    """Between float types the identity, in real numbers; a constant must keep its value."""
    tensor, target = call.tensor(0), call.attributes.get("to")
    if tensor.end in ("ArgMax", "ArgMin"):
        return tensor
    if tensor.wired:
        if target not in FLOATS:
            call.fail("a cast to a type that is not a float rounds.")
        return tensor
    kind = KINDS.get(target) if isinstance(target, int) else None
    if kind is None:
        call.fail("this type is not supported.")
    with np.errstate(all="ignore"):
        changed = tensor.array.astype(kind)
    if not np.array_equal(changed.astype(tensor.array.dtype), tensor.array):
        call.fail("it rounds a constant.", "Store the constant in the type of the network.")
    return Tensor(
        changed.astype(np.float64) if target in FLOATS else changed.astype(bool if target == 9 else np.int64), False
    )


KINDS: dict[int, Any] = {1: np.float32, 10: np.float16, 11: np.float64, 6: np.int32, 7: np.int64, 9: np.bool_}


def constant(call: Call) -> Tensor:
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if (given := call.attributes.get(name)) is not None:
            return Tensor(np.asarray(given), False)
    call.fail("this kind of constant is not supported.")


def constant_of_shape(call: Call) -> Tensor:
    shape = call.whole_numbers(0, "shape") or []
    if any(n < 0 for n in shape):
        call.fail("a length is negative.")
    limit(size(tuple(shape)))
    value = np.asarray(call.attributes.get("value", 0.0)).ravel()
    if value.size != 1:
        call.fail("its value must be one number.")
    return Tensor(np.full(shape, value[0]), False)


def shape_of(call: Call) -> Tensor:
    shape = call.tensor(0).array.shape
    return Tensor(np.array(shape[call.attributes.get("start", 0) : call.attributes.get("end")], dtype=np.int64), False)


def flatten(call: Call) -> Tensor:
    axis = call.attributes.get("axis", 1)
    return reshaped(call, lambda a: a.reshape(size(a.shape[:axis]), -1))


def reshape(call: Call) -> Tensor:
    target = call.whole_numbers(1, "shape")
    if target is None:
        call.fail("its shape is missing.")

    def change(array: Array) -> Array:
        if call.attributes.get("allowzero"):
            return array.reshape(target)
        return array.reshape([array.shape[i] if n == 0 else n for i, n in enumerate(target)])

    return reshaped(call, change)


def squeeze(call: Call) -> Tensor:
    axes = call.whole_numbers(1, "axes")
    return reshaped(call, lambda a: a.squeeze() if axes is None else a.squeeze(tuple(axes)))


def unsqueeze(call: Call) -> Tensor:
    axes = call.whole_numbers(1, "axes")
    if axes is None:
        call.fail("its axes are missing.")
    return reshaped(call, lambda a: np.expand_dims(a, tuple(axes)))


def transpose(call: Call) -> Tensor:
    order = call.attributes.get("perm")
    return reshaped(call, lambda a: np.transpose(a, None if order is None else [int(i) for i in order]))


def expand(call: Call) -> Tensor:
    target = call.whole_numbers(1, "shape") or []

    def change(array: Array) -> Array:
        shape = np.broadcast_shapes(array.shape, tuple(target))
        limit(size(shape))
        return np.broadcast_to(array, shape)

    return reshaped(call, change)


def concat(call: Call) -> Tensor:
    parts = [call.tensor(i) for i in range(len(call.inputs))]
    if not parts:
        call.fail("it has no inputs.")
    limit(sum(part.array.size for part in parts))
    axis = call.axis(1, parts[0].array.ndim)
    some = any(part.wired for part in parts)
    arrays = [call.wires(part) if some else part.array for part in parts]
    try:
        return Tensor(np.concatenate(arrays, axis), some)
    except (ValueError, IndexError) as error:
        call.fail(f"the shapes do not fit: {error}.")


def gather(call: Call) -> Tensor:
    places = call.known(1)
    if places.dtype.kind not in "iu":
        call.fail("its indices must be integers.")
    tensor = call.tensor(0)
    axis = call.axis(0, tensor.array.ndim)
    limit(tensor.array.size * max(places.size, 1))
    return reshaped(call, lambda a: np.take(a, places, axis=axis))


def cut(call: Call) -> Tensor:
    """Slice."""
    starts, ends = call.whole_numbers(1, "starts"), call.whole_numbers(2, "ends")
    if starts is None or ends is None or len(starts) != len(ends):
        call.fail("its starts and ends are missing.")
    axes = call.whole_numbers(3, "axes") or list(range(len(starts)))
    steps = call.whole_numbers(4, "steps") or [1] * len(starts)
    if len(axes) != len(starts) or len(steps) != len(starts):
        call.fail("its axes do not fit.")

    def change(array: Array) -> Array:
        picks = [slice(None)] * array.ndim
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            n = array.shape[axis]
            if step < 0 and end < -n:  # numpy has no other way to say "through the first entry"
                picks[axis] = slice(min(start, n - 1), None, step)
            else:
                picks[axis] = slice(start, end, step)
        return array[tuple(picks)]

    return reshaped(call, change)


OPERATORS: dict[str, Callable[[Call], Tensor]] = {
    "Abs": absolute,
    "Add": add,
    "ArgMax": arg_extreme,
    "ArgMin": arg_extreme,
    "Cast": cast,
    "Clip": clip,
    "Concat": concat,
    "Constant": constant,
    "ConstantOfShape": constant_of_shape,
    "Div": divide,
    "Dropout": dropout,
    "Expand": expand,
    "Flatten": flatten,
    "Gather": gather,
    "Gemm": gemm,
    "Identity": identity,
    "LeakyRelu": leaky,
    "LogSoftmax": softmax,
    "MatMul": matmul,
    "Max": extreme,
    "Min": extreme,
    "Mul": multiply,
    "Neg": negate,
    "PRelu": prelu,
    "Relu": relu,
    "Reshape": reshape,
    "Shape": shape_of,
    "Sigmoid": sigmoid,
    "Slice": cut,
    "Softmax": softmax,
    "Squeeze": squeeze,
    "Sub": subtract,
    "Sum": total,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}

PASSING = {"Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"}
"""Operators that may follow the last Softmax, Sigmoid or ArgMax."""

CURVED = {
    "Tanh",
    "Erf",
    "Gelu",
    "Elu",
    "Selu",
    "Celu",
    "Softplus",
    "Softsign",
    "Exp",
    "Log",
    "Sqrt",
    "Pow",
    "Sin",
    "Cos",
    "Mish",
    "Swish",
}
"""Operators that no piecewise-linear step can express."""


def original(path: Path) -> Callable[[Floats], list[int]] | None:
    """onnxruntime's class for each row, or None when it is not installed."""
    try:
        import onnxruntime
    except ImportError:
        return None
    network, end = parse(path)
    model = contents(path) if path.suffix == ".gz" else str(path)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    kind = {"tensor(double)": np.float64, "tensor(float16)": np.float16}.get(entry.type, np.float32)
    shape = [n if isinstance(n, int) and n > 0 else 1 for n in entry.shape]

    def classes(points: Floats) -> list[int]:
        found = []
        for point in points:
            (scores,) = session.run(None, {entry.name: point.astype(kind).reshape(shape)})
            if end in ("ArgMax", "ArgMin"):
                found.append(int(scores.item()))
            elif network.rule == "positive":
                found.append(int(scores.item() > (0.5 if end == "Sigmoid" else 0.0)))
            else:
                found.append(int(np.argmax(scores.ravel())))
        return found

    return classes
