"""PyTorch as a peer of pushdown's benchmarks: a batched stack by cumulative sums over rows, and autograd.

Computes on a GPU of CUDA if there is one, else on the CPU; with the argument --cpu, always on the CPU. With --graph, a pass is recorded once as a CUDA
graph and replayed, which saves the launch of each of its thousands of kernels by Python.

Runs as a child process of python.ts. A message in either direction is a line of JSON, then the float32 numbers of its
tensors, raw, little-endian, in their order. Request: {"do": "memory" | "prefixSum" | "training" | "pass" | "outputs" |
"end", "id": …, "tensors": [{"name", "shape"}]}. Answer: {"ms"} or {"tensors"} or {"error"}. The time of a pass excludes
starting Python, importing torch, recording a graph, and transfers.
"""

import json
import os
import re
import sys
import time

THREADS = os.cpu_count() or 1
# torch reads this when it is loaded. By default OpenMP's threads spin between two operations, and compete with those of
# OpenBLAS for the cores: on two cores a training step took up to 80 times as long (9 and 730 ms).
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch  # noqa: E402

torch.set_num_threads(THREADS)
CUDA = "--cpu" not in sys.argv[1:] and torch.cuda.is_available()
GRAPH = "--graph" in sys.argv[1:]
DEVICE = "cuda" if CUDA else "cpu"


class Recorded:
    """A run whose pass is a CUDA graph."""

    WARM_UPS = 3

    def __init__(self, run):
        self.run = run
        # Passes of training change the weights, so the weights are restored afterwards.
        before = [(tensor, tensor.detach().clone()) for tensor in run.changed]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(self.WARM_UPS):
                run.work()
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            run.work()
        with torch.no_grad():
            for tensor, saved in before:
                tensor.copy_(saved)

    def work(self):
        self.graph.replay()

    @property
    def outputs(self):
        return self.run.outputs


def sums_above(s):
    """[B,t] -> sum over j > i of s[j]."""
    return s.flip(1).cumsum(1).flip(1) - s


def stack_step(s, above, d, u):
    """Pops u and pushes d, [B,1] each. The sums after the push are used by this step's read and the next step's pop."""
    if s is None:
        return d, torch.zeros_like(d)
    left = torch.relu(s - torch.relu(u - above))
    s = torch.cat((left, d), 1)
    return s, sums_above(s)


def weights(s, above):
    """min(s, max(0, 1 - above)). clamp, unlike minimum, gives all of a tie's gradient to s, as the paper's min does."""
    return torch.clamp(s, max=torch.relu(1 - above))


class Memory:
    """All values are known in advance, so the reads of BLOCK steps are one product [B,n,t] x [B,t,M]."""

    BLOCK = 128
    changed = ()

    def __init__(self, request, tensors):
        self.inputs = [tensors[name].requires_grad_() for name in ("push", "pop", "value")]
        self.d_read = tensors["dRead"]
        self.outputs = {}

    def forward(self):
        push, pop, value = self.inputs
        steps = push.shape[1]
        ds, us = push.split(1, 1), pop.split(1, 1)
        s = above = None
        reads = []
        for start in range(0, steps, self.BLOCK):
            end = min(start + self.BLOCK, steps)
            rows = []
            for t in range(start, end):
                s, above = stack_step(s, above, ds[t], us[t])
                rows.append(torch.nn.functional.pad(weights(s, above), (0, end - t - 1)))
            reads.append(torch.stack(rows, 1) @ value[:, :end])
        return torch.cat(reads, 1)

    def work(self):
        read = self.forward()
        gradients = torch.autograd.grad(read, self.inputs, self.d_read)
        self.outputs = dict(zip(("read", "dPush", "dPop", "dValue"), (read.detach(), *gradients)))


class PrefixSum:
    """The gradient is computed as autograd does it, but without the forward pass, which it does not need."""

    changed = ()

    def __init__(self, request, tensors):
        self.x = tensors["x"]
        self.forward = request["pass"] == "forward"
        self.outputs = {}

    def work(self):
        if self.forward:
            self.outputs = {"y": self.x.cumsum(1)}
        else:
            self.outputs = {"dx": self.x.flip(1).cumsum(1).flip(1)}


class Training:
    """A step of plain gradient descent. The input and output layers are not recurrent: one product each for all steps."""

    def __init__(self, request, tensors):
        self.z = request["sizes"]
        self.data = [tensors.pop(name) for name in ("x", "y", "weight")]
        self.w = {name: tensor.requires_grad_() for name, tensor in tensors.items()}
        self.objective = None

    @property
    def changed(self):
        return self.w.values()

    @property
    def outputs(self):
        return {"objective": self.objective.reshape(1), **{name: w.detach() for name, w in self.w.items()}}

    def work(self):
        objective = self.loss()
        gradients = torch.autograd.grad(objective, list(self.w.values()))
        with torch.no_grad():
            for w, dw in zip(self.w.values(), gradients):
                w.sub_(dw, alpha=self.z["rate"])
        self.objective = objective.detach()

    def loss(self):
        w, z = self.w, self.z
        x, y, weight = self.data
        ops = self.controller(x)
        a = torch.cat([ops[t] for t in z["answered"]]) @ w["W_o"] + w["b_o"]
        if z["readout"]:
            a = torch.tanh(a) @ w["W_s"] + w["b_s"]
        if z["output"] == "softmax":
            return -(torch.log_softmax(a, 1) * (y * weight)).sum()
        output = torch.tanh(a) if z["output"] == "tanh" else torch.sigmoid(a)
        return 0.5 * ((output - y).square() * weight).sum()

    def start(self):
        w, z = self.w, self.z

        def one_hot(width):
            e = torch.zeros(z["B"], width, device=DEVICE)
            e[:, 0] = 1
            return e

        h = c = torch.zeros(z["B"], z["H"], device=DEVICE)
        r = torch.zeros(z["B"], z["M"], device=DEVICE)
        if z["start"] == "one-hot":
            h, r = one_hot(z["H"]), one_hot(z["M"])
        if z["start"] == "trained":
            h = w["h_0"].expand(z["B"], -1)
            c = w["c_0"].expand(z["B"], -1) if "c_0" in w else c
        return h, c, r

    def controller(self, x):
        """o' of all steps, [B,P] each. The last step does not change the stack, because nothing depends on it."""
        w, z = self.w, self.z
        width = z["M"]
        x = x @ w["W_e"] if z["embedding"] else x
        inputs = torch.addmm(w["b_h"], x, w["W_xh"]).split(z["B"])
        W_state = torch.cat((w["W_hh"], w["W_rh"]))
        W_heads = torch.cat((w["W_d"], w["W_u"], w["W_v"]), 1)
        b_heads = torch.cat((w["b_d"], w["b_u"], w["b_v"]), 1)
        h, c, r = self.start()
        s = above = values = None
        ops = []
        for t in range(z["T"]):
            a = torch.addmm(inputs[t], torch.cat((h, r), 1), W_state)
            if z["controller"] == "rnn":
                h = torch.tanh(a)
            else:
                i, f, g, o = a.chunk(4, 1)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
            op = torch.tanh(torch.addmm(w["b_p"], h, w["W_hp"])) if z["projection"] else h
            ops.append(op)
            if t == z["T"] - 1:
                break
            strengths, v = torch.addmm(b_heads, op, W_heads).split((2, width), 1)
            d, u = torch.sigmoid(strengths).split(1, 1)
            s, above = stack_step(s, above, d, u)
            row = torch.tanh(v).unsqueeze(1)
            values = row if values is None else torch.cat((values, row), 1)
            r = torch.bmm(weights(s, above).unsqueeze(1), values).squeeze(1)
        return ops


KINDS = {"memory": Memory, "prefixSum": PrefixSum, "training": Training}
runs = {}


def read_exactly(count):
    data = sys.stdin.buffer.read(count)
    if len(data) != count:
        sys.exit(0)
    return bytearray(data)


def tensor_of(description):
    count = 1
    for n in description["shape"]:
        count *= n
    return torch.frombuffer(read_exactly(4 * count), dtype=torch.float32).reshape(description["shape"]).to(DEVICE)


def answer(message, tensors=()):
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n")
    for tensor in tensors:
        sys.stdout.buffer.write(tensor.cpu().contiguous().numpy().tobytes())
    sys.stdout.buffer.flush()


def handle(request, tensors):
    what, run = request["do"], request.get("id")
    if what in KINDS:
                made = KINDS[what](request, tensors)
        runs[run] = Recorded(made) if GRAPH else made
        return answer({})
    if what == "pass":
        wait()
        start = time.perf_counter()
        runs[run].work()
        wait()
        return answer({"ms": 1000 * (time.perf_counter() - start)})
    if what == "outputs":
        outputs = runs[run].outputs
        shapes = [{"name": name, "shape": list(tensor.shape)} for name, tensor in outputs.items()]
        return answer({"tensors": shapes}, outputs.values())
        runs.pop(run, None)
    free()
    return answer({})


def free():
    """Releases memory for the other programs that are measured."""
    if CUDA:
        torch.cuda.empty_cache()


def wait():
    """Kernels of CUDA run after the call that launches them has returned."""
    if CUDA:
        torch.cuda.synchronize()


def device_name():
    if CUDA:
        return f"CUDA {torch.version.cuda}, {torch.cuda.get_device_name()}"
    # The BLAS library decides the speed, and so does the processor: with the same library, a step of the paper's size took
    # 217 ms on one processor and 1,970 ms on another.
    blas = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    return f"CPU, {blas.group(1) if blas else 'unknown BLAS'}, {torch.get_num_threads()} threads"


def main():
    if sys.byteorder != "little":
        sys.exit("torch_peer.py: the tensors are sent little-endian, which this processor is not")
    if GRAPH and not CUDA:
        answer({"error": "CUDA graphs need a GPU with CUDA"})
        return
    answer({"version": torch.__version__, "device": device_name()})
    for line in sys.stdin.buffer:
        request = json.loads(line)
        tensors = {description["name"]: tensor_of(description) for description in request.get("tensors", [])}
        try:
            handle(request, tensors)
                except Exception as error:  # Reported as an answer, because the process may have other runs.
            tensors.clear()
            free()
            answer({"error": f"{type(error).__name__}: {error}"})


main()
